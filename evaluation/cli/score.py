"""`xadbench score`: something of the user's own beside the baselines of a suite."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import parse_yaml
from xadbench.evaluation.components.registry import SEED
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import OnTrial
from xadbench.evaluation.suite.expand import n_trials
from xadbench.evaluation.suite.spec import Component, Suite

TRIALS_FAILED = 3
RESULT_FORMS, FILE_FORMS = ("text", "json", "markdown"), ("csv", "parquet")
Spec = Annotated[str | None, typer.Option(metavar="SPEC", help="One beside the suite's; named likewise.")]
Folder = Path | None
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench score mine.py:MyExplainer --suite mine.yaml")
def score(  # noqa: PLR0917  # an option each
    explainer: Annotated[
        str | None, typer.Argument(help="package.module:Name, path/to/file.py:name, or a registered name.")
    ] = None,
    suite: Annotated[str, typer.Option(help="A shipped suite, or the path of a .yaml file.")] = "quick",
    param: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A parameter of it; may be given again.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    detector: Spec = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC", help="Likewise; where its ground truth is not known, anomalies are put into it."
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Column of the data set's file that marks its anomalies.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that run trials; 1 if not told.")
    ] = None,
    out: Annotated[
        Folder, typer.Option(metavar="DIR", help="The run's folder; runs/score-SUITE if not told.")
    ] = None,
    form: Annotated[
        Literal["text", "json", "markdown", "csv", "parquet"] | None,
        typer.Option("--format", help="text, json, markdown; of an export: csv, parquet."),
    ] = None,
    export: Annotated[Folder, typer.Option(metavar="DIR", help="Only write what is to be explained.")] = None,
    attributions: Annotated[
        Folder, typer.Option(metavar="DIR", help="Score files: an answer to each task of an export.")
    ] = None,
    *,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute the baselines whose results are shipped.")
    ] = False,
) -> None:
    """Score an explainer, a detector or a data set of your own beside the baselines of a suite."""
    # The report's boards and Jinja come with these, which take a while to import.
    from xadbench.evaluation.submission.attributions import score_files  # noqa: PLC0415
    from xadbench.evaluation.submission.placement_rendering import as_form  # noqa: PLC0415
    from xadbench.evaluation.submission.score import beside, run_beside  # noqa: PLC0415

    if export is not None:
        others: dict[str, object] = {"EXPLAINER": explainer, "--param": param, "--name": name}
        others |= {"--attributions": attributions, "--out": out, "--recompute": recompute}
        others |= {"--workers": workers}
        _refuse("--export", others, form, RESULT_FORMS)
        _export(beside(suite, None, detector, dataset, label), export, form or "csv")
        return
    if attributions is not None:
        _refuse("--attributions", {"EXPLAINER": explainer, "--param": param}, form, FILE_FORMS)
    elif explainer is None:
        if not detector and not dataset:
            raise InputError("nothing to score; expected EXPLAINER, --detector, --dataset or --attributions")
        _refuse("a score without EXPLAINER", {"--param": param, "--name": name}, form, FILE_FORMS)
    else:
        _refuse("a score", {}, form, FILE_FORMS)
    entry = (
        Component(name=explainer, params=parameters(param or []), label=name)
        if explainer is not None
        else None
    )
    requested = beside(suite, entry, detector, dataset, label)
    run = out or Path("runs") / requested.name
    if attributions is None:
        work = partial(run_beside, requested, entry, detector, dataset, run)
    else:
        work = partial(score_files, attributions, requested, name or attributions.resolve().name, run)
    form = form or "text"
    console = Console(stderr=form != "text")  # the output is the result alone where a program reads it
    with RunProgress(n_trials(requested), console) as progress:
        placement = work(
            recompute=recompute, workers=workers or 1, on_trial=_telling(progress), on_running=progress.show
        )
    typer.echo(as_form(placement, form), nl=False)
    if not all(record.is_finished for record in placement.records):
        raise typer.Exit(TRIALS_FAILED)


def _refuse(what: str, given: Mapping[str, object], form: str | None, other_forms: Sequence[str]) -> None:
    """Raise `InputError` for what does not go with `what`."""
    forms = {f"--format {form}": form in other_forms}
    wrong = next((option for option, value in {**given, **forms}.items() if value), None)
    if wrong is not None:
        raise InputError(f"{wrong} does not go with {what}; see xadbench score --help")


def _export(suite: Suite, folder: Path, form: Any) -> None:
    from xadbench.evaluation.submission.export import export  # noqa: PLC0415  # as above

    n_tasks = export(suite, folder, form, on_task=typer.echo)
    typer.echo(f"{folder}: {n_tasks} tasks; {folder / 'README.txt'} says how to answer them")


def _telling(progress: RunProgress) -> OnTrial:
    """Return the callback that shows a trial as it is computed, and counts what is there without a word."""
    return lambda record, is_new: progress.advance(record, is_new) if is_new else progress.skip()


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that a command line gives as `name=value`; a value is a YAML scalar or list.

    Examples
    --------
    >>> from xadbench.evaluation.cli.score import parameters
    >>> parameters(["depth=3", "centre=median", "sizes=[1, 2]"])
    {'depth': 3, 'centre': 'median', 'sizes': [1, 2]}
    """
    params: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InputError(f"--param {text!r}: expected name=value, such as depth=3")
        if name in params:
            raise InputError(f"--param {text!r}: {name} is given twice")
        if name == SEED:
            raise InputError(f"--param {text!r}: {SEED} is that of each trial or check; leave it out")
        params[name] = parse_yaml(value, f"--param {text!r:.80}")
    return params
