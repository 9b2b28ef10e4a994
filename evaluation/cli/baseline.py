"""`xadbench baseline`: named runs to compare with."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xadbench.datasets.common.errors import InputError, printable
from xadbench.datasets.common.rendering import as_rich
from xadbench.evaluation.regression import baselines
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.stored_runs import ACCEPTED, BASELINES
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE

app = typer.Typer(
    rich_markup_mode=None,
    help="Save or show named baseline runs.",
    epilog="Example: xadbench baseline show",
)
Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The folder of the baselines.")]


@app.command(epilog="Example: xadbench baseline save main runs/mine")
def save(
    name: Annotated[str, typer.Argument(help="The name of the baseline: letters, digits and . _ -")],
    run: Annotated[str, typer.Argument(help=f"{ACCEPTED}.")],
    folder: Folder = BASELINES,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", "--force", help="Replace a baseline of that name.")
    ] = False,
) -> None:
    """Save a finished run as a baseline: one small file for version control."""
    path = baselines.save_baseline(name, run, folder, replace=replace)
    typer.echo(printable(f"{path}: {baselines.summary(baselines.load_baseline(name, folder))}"))


@app.command(epilog="Example: xadbench baseline show main")
def show(
    name: Annotated[
        str | None, typer.Argument(help="The baseline to show. By default all are listed.")
    ] = None,
    folder: Folder = BASELINES,
) -> None:
    """List the baselines, or show one."""
    if name is not None:
        run = baselines.load_baseline(name, folder)
        typer.echo(printable(f"{name}: {baselines.summary(run)}"))
        means = baselines.means(run, HEADLINE_SCOPE, VALUE).reset_index()
        for column, form in ((VALUE, ".3f"), ("normalised_time", ".3g")):
            means[column] = means[column].map(f"{{:{form}}}".format)
        Console().print(as_rich(means, names=["explainer"]), highlight=False)
        return
    for known in baselines.baseline_names(folder):
        typer.echo(printable(f"{known:<24} {_summary(known, folder)}"))
    if not baselines.baseline_names(folder):
        typer.echo(f"{folder}: no baselines yet; `xadbench baseline save NAME RUN` makes one")


def _summary(name: str, folder: Path) -> str:
    """Return what a baseline holds, or why it cannot be read: others may be sound."""
    try:
        return baselines.summary(baselines.load_baseline(name, folder))
    except InputError as error:
        return f"cannot be used: {error}"
