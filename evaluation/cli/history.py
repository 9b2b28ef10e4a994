"""`xadbench history`: scores and times of runs over commits."""

from pathlib import Path
from typing import Annotated

import typer

from xadbench.evaluation.regression.verdict import Criteria

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench history runs --out history.html")
def history(
    runs: Annotated[list[Path], typer.Argument(help="Runs, baseline files, or folders that contain them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path(
        "history.html"
    ),
    metric: Annotated[
        str, typer.Option(help="The metric to plot, such as adjusted_acc_m.")
    ] = Criteria.metrics[0],
    scope: Annotated[str, typer.Option(help="The rows: anomalies, detected or flagged.")] = Criteria.scope,
) -> None:
    """Plot scores and times of runs over commits, on one page that opens offline."""
    from xadbench.evaluation.report import history as pages  # noqa: PLC0415  # Jinja and plotly take a while

    Criteria(metrics=(metric,), scope=scope)  # checks them
    typer.echo(f"{pages.write_history(pages.read_runs(runs), out, metric, scope)}")
