"""`xadbench run`: a suite's trials, and their leaderboard."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xadbench.datasets.common.errors import unknown
from xadbench.evaluation.results.artifacts import lacking
from xadbench.evaluation.results.leaderboard import publish
from xadbench.evaluation.runs.dry_run import estimate
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import Executor, run_suite
from xadbench.evaluation.suite.expand import n_trials
from xadbench.evaluation.suite.spec import load_suite, saving
from xadbench.evaluation.trial.scopes import SCOPES

from .ending import TRIALS_FAILED, complain
from .options import Out, split_commas

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench run mine.yaml --scope anomalies")
def run(  # noqa: PLR0917  # an option each
    suite: Annotated[str, typer.Argument(help="A shipped suite, or the path of a .yaml file.")],
    out: Out = None,
    scope: Annotated[
        str | None,
        typer.Option(help="Rows to rank by: anomalies, detected or flagged; the suite's if not told."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that run trials.")] = 1,
    executor: Annotated[
        Executor, typer.Option(help="dask: a cluster's workers, or --workers of it here.")
    ] = "loky",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a running Dask cluster.")
    ] = None,
    *,
    save: Annotated[
        list[str] | None, typer.Option(help="Beside the scores: rows, attributions; several: a,b or again.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be run, and for how long.")
    ] = False,
) -> None:
    """Run a suite, or resume it, and print its leaderboard; writes to runs/SUITE unless told otherwise."""
    chosen = load_suite(suite)
    chosen = saving(chosen, split_commas(save)) if save else chosen
    scope = scope or chosen.scope
    if scope not in SCOPES:
        raise unknown("scope", scope, SCOPES)
    folder = out or Path("runs") / chosen.name
    if dry_run:
        for line in estimate(chosen, folder).as_lines(folder, workers):
            typer.echo(line)
        return
    console = Console()
    with RunProgress(n_trials(chosen), console) as progress:
        records = run_suite(
            chosen,
            folder,
            progress.advance,
            progress.show,
            workers=workers,
            executor=executor,
            scheduler=scheduler,
        )
    publish(records, scope, folder, console, requested=chosen.metrics)
    for gap in lacking(folder, records, chosen.save):
        complain(gap)
    if any(not record.is_finished for record in records):
        raise typer.Exit(TRIALS_FAILED)
