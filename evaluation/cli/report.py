"""`xadbench report`: a run's report."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from xadbench.evaluation.report import report as write_report

from .options import Out

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench report runs/mine --format markdown")
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, finished or not.")],
    out: Out = None,
    form: Annotated[
        Literal["html", "markdown", "csv", "latex"],
        typer.Option(
            "--format", help="html writes pages that open offline; the others write the same tables."
        ),
    ] = "html",
    *,
    recompute: Annotated[
        bool, typer.Option(help="Recompute tables and attributions that the run did not save.")
    ] = False,
) -> None:
    """Write the report of a run. Default folder: report/ in the run's folder."""
    typer.echo(f"{write_report(run, out, form, remade=recompute)}")
