"""`xadbench import`: attributions that were made elsewhere, for the tasks of an export."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .options import Dataset, Detector, Force, LabelColumn, ScoredSuite
from .placement import Form, Recompute, RunFolder, Workers, run_and_show

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("import", epilog="Example: xadbench import answers --suite examples/mine.yaml")
def import_attributions(  # noqa: PLR0917  # an option each
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The folder with one file of attributions for each exported task."
        ),
    ],
    suite: ScoredSuite = "quick",
    name: Annotated[str, typer.Option(help="The label of the explainer. Default: the folder's name.")] = "",
    detector: Detector = None,
    dataset: Dataset = None,
    label_column: LabelColumn = None,
    workers: Workers = 1,
    out: RunFolder = None,
    form: Form = "text",
    *,
    recompute: Recompute = False,
    force: Force = False,
) -> None:
    """Score attributions made elsewhere. Give the same suite, detector and data set as to the export."""
    from xadbench.evaluation.submission.attributions import score_files  # noqa: PLC0415  # as in `score`
    from xadbench.evaluation.submission.score import extended  # noqa: PLC0415  # as above

    requested = extended(suite, None, detector, dataset, label_column).scored
    work = partial(score_files, answers, requested, name or answers.resolve().name)
    run_and_show(work, requested, out, form, force=force, workers=workers, recompute=recompute)
