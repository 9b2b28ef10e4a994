"""What `score` and `import` have in common: the run, its progress, and the place of the entry."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import OnTrial
from xadbench.evaluation.runs.timings import Timings
from xadbench.evaluation.suite.spec import Suite

from .ending import TRIALS_FAILED
from .replacing import RUN, replaceable
from .verbosity import is_verbose, progress_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from xadbench.evaluation.submission.placement import Placement

Form = Annotated[
    Literal["text", "json", "markdown"], typer.Option("--format", help="How to print the result.")
]
Recompute = Annotated[
    bool, typer.Option("--recompute", help="Recompute the explainers whose results ship with the package.")
]
RunFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="The run's folder. Default: runs/score-SUITE."),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that run trials.")]


def run_and_show(
    work: "Callable[..., Placement]",
    suite: Suite,
    out: Path | None,
    form: str,
    *,
    force: bool,
    **options: Any,
) -> None:
    """Show progress while `work` runs a suite, then the place it returns; exit code 3 if a trial failed."""
    from xadbench.evaluation.submission.placement_rendering import as_form  # noqa: PLC0415  # as in `score`

    folder = out or Path("runs") / suite.name
    with (
        replaceable(folder, RUN, is_forced=True) if force else nullcontext(),
        RunProgress(Timings().work_of(suite), progress_console(), is_verbose=is_verbose()) as progress,
    ):
        placement = work(folder, on_trial=_telling(progress), on_running=progress.show, **options)
    typer.echo(as_form(placement, form), nl=False)
    if not all(record.is_finished for record in placement.records):
        raise typer.Exit(TRIALS_FAILED)


def _telling(progress: RunProgress) -> OnTrial:
    """Return the callback that shows a trial as it is computed, and counts what is there without a word."""
    return lambda record, is_new: (progress.advance if is_new else progress.count)(record, is_new=is_new)
