"""`xadbench score`: something of the user's own beside the baselines of a suite."""

from functools import partial
from typing import Annotated

import typer

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.suite.spec import Component

from .options import Dataset, Detector, Force, InProcess, LabelColumn, Params, ScoredSuite, parameters
from .placement import Form, Recompute, RunFolder, Workers, run_and_show

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench score mahalanobis --name mine --suite examples/mine.yaml")
def score(  # noqa: PLR0917  # an option each
    explainer: Annotated[
        str | None, typer.Argument(help="package.module:Name, path/to/file.py:name, or a listed name.")
    ] = None,
    suite: ScoredSuite = "quick",
    param: Params = None,
    name: Annotated[str, typer.Option(help="The label of the explainer.")] = "",
    detector: Detector = None,
    dataset: Dataset = None,
    label_column: LabelColumn = None,
    workers: Workers = 1,
    out: RunFolder = None,
    form: Form = "text",
    *,
    recompute: Recompute = False,
    in_process: InProcess = False,
    force: Force = False,
) -> None:
    """Score your own explainer, detector or data set next to the explainers of a suite."""
    # The report's boards and Jinja come with these, which take a while to import.
    from xadbench.evaluation.submission.score import extended, score_entries  # noqa: PLC0415

    if explainer is None:
        if not detector and not dataset:
            raise InputError("nothing to score; expected EXPLAINER, --detector or --dataset")
        for option, value in {"--param": param, "--name": name}.items():
            if value:
                raise InputError(f"{option} does not go with a score without EXPLAINER")
        entry = None
    else:
        entry = Component(name=explainer, params=parameters(param or []), label=name)
    requested = extended(suite, entry, detector, dataset, label_column)
    work = partial(score_entries, requested)
    options = {"workers": workers, "recompute": recompute, "in_process": in_process}
    run_and_show(work, requested.scored, out, form, force=force, **options)
