"""`xadbench run`: a suite's trials, and their leaderboard."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from xadbench.datasets.common.errors import find, printable
from xadbench.evaluation.results.artifacts import lacking
from xadbench.evaluation.results.leaderboard import leaderboard, publish
from xadbench.evaluation.results.record import TrialRecord as Record
from xadbench.evaluation.runs.dry_run import estimate
from xadbench.evaluation.runs.jobs import load_checked
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import Executor, run_suite
from xadbench.evaluation.runs.timings import Timings
from xadbench.evaluation.suite.spec import saving, suite_names
from xadbench.evaluation.trial.scopes import SCOPES

from .ending import TRIALS_FAILED, complain
from .options import SUITE, Force, InProcess, Out, completing, split_commas
from .replacing import RUN, replaceable
from .verbosity import is_verbose, progress_console

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench run examples/mine.yaml --scope anomalies")
def run(  # noqa: PLR0917  # an option each
    suite: Annotated[str, typer.Argument(help=SUITE, autocompletion=completing(suite_names))],
    out: Out = None,
    scope: Annotated[
        str | None,
        typer.Option(help="Rows to rank by: anomalies, detected or flagged. Default: the suite's."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that run trials.")] = 1,
    executor: Annotated[
        Executor, typer.Option(help="Where trials run. dask needs the extra xadbench[dask].")
    ] = "processes",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address of a running Dask scheduler.")
    ] = None,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print the leaderboard.")
    ] = "text",
    *,
    save: Annotated[
        list[str] | None,
        typer.Option(help="Save rows or attributions too. Give several as a,b or repeat the option."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would run and estimate how long it takes.")
    ] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Run trials again whose code imports by computed names.")
    ] = False,
    in_process: InProcess = False,
    force: Force = False,
) -> None:
    """Run or resume a suite, and print its leaderboard. Default folder: runs/SUITE."""
    chosen = load_checked(suite)
    chosen = saving(chosen, split_commas(save)) if save else chosen
    scope = scope or chosen.scope
    find("scope", scope, dict.fromkeys(SCOPES))
    folder = out or Path("runs") / chosen.name
    if dry_run:
        for line in estimate(chosen, folder).as_lines(folder, workers, is_verbose=is_verbose()):
            typer.echo(printable(line))
        return
    untraced = dict[str, str]()  # files by the trials that were finished before

    def advance(record: Record, is_new: bool) -> None:  # noqa: FBT001  # as `OnTrial` has it
        progress.advance(record, is_new=is_new)
        if not is_new and record.untraced:
            untraced[record.key] = record.untraced

    with (
        replaceable(folder, RUN, is_forced=True) if force else nullcontext(),
        RunProgress(Timings().work_of(chosen), progress_console(), is_verbose=is_verbose()) as progress,
    ):
        records = run_suite(
            chosen,
            folder,
            advance,
            progress.show,
            workers=workers,
            executor=executor,
            scheduler=scheduler,
            recompute=recompute,
            in_process=in_process,
        )
    publish(records, scope, folder, Console(quiet=form == "json"), requested=chosen.metrics)
    if form == "json":
        board = leaderboard(records, scope, requested=chosen.metrics)
        rows = json.loads(board.to_json(orient="records"))
        typer.echo(json.dumps({"suite": chosen.name, "scope": scope, "leaderboard": rows}, indent=1))
    for files in sorted(set(untraced.values())):
        n = list(untraced.values()).count(files)
        complain(
            f"{n} trials were not run again, although what {files} imports by names known "
            "only at run time may have changed; to run them again: --recompute"
        )
    for gap in lacking(folder, records, chosen.save):
        complain(gap)
    if any(not record.is_finished for record in records):
        raise typer.Exit(TRIALS_FAILED)
