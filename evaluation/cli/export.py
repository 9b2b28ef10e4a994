"""`xadbench export`: what an explainer outside Python needs, as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Dataset, Detector, Force, LabelColumn, Out, ScoredSuite
from .replacing import EXPORT, replaceable
from .verbosity import note

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench export --suite examples/mine.yaml --format parquet")
def export(  # noqa: PLR0917  # an option each
    suite: ScoredSuite = "quick",
    detector: Detector = None,
    dataset: Dataset = None,
    label_column: LabelColumn = None,
    out: Out = None,
    form: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="The format of the files: csv or parquet.")
    ] = "csv",
    *,
    force: Force = False,
) -> None:
    """Write rows to explain for explainers outside Python. Default folder: exports/SUITE."""
    from xadbench.evaluation.runs.jobs import Plan  # noqa: PLC0415  # as in `score`
    from xadbench.evaluation.submission.export import export as write_tasks  # noqa: PLC0415  # as above
    from xadbench.evaluation.submission.score import extended  # noqa: PLC0415  # as above
    from xadbench.evaluation.suite.expand import resolve  # noqa: PLC0415  # as above

    requested = extended(suite, None, detector, dataset, label_column).suite
    folder = out or Path("exports") / requested.name
    Plan(resolve(requested))  # what is wrong with the suite comes before what is wrong with the folder
    with replaceable(folder, EXPORT, is_forced=force):
        n_tasks = write_tasks(requested, folder, form, on_task=note)
    typer.echo(f"{folder}: {n_tasks} tasks; {folder / 'README.txt'} says how to answer them")
