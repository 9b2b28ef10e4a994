"""`xadbench audit`: whether a ground truth leaks, and how hard a recipe is."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xadbench import generator
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.audit import recipes as audits
from xadbench.generator.injection.inject import INJECTABLE

from .ending import differing_where_truth_leaks
from .options import Affected, LabelColumn, Seed

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench audit table2-d4-5 --json audit.json")
@differing_where_truth_leaks()
def audit(  # noqa: PLR0917  # an option each
    source: Annotated[
        str, typer.Argument(help="A shipped recipe, a .yaml file, or a data set to inject anomalies into.")
    ],
    kind: Annotated[
        list[str] | None, typer.Option(help="A kind to inject. May be repeated. Default: all.")
    ] = None,
    ratio: Annotated[float, typer.Option(help="The share of injected anomalies, between 0 and 1.")] = 0.05,
    protocol: Affected = "per-row",
    label_column: LabelColumn = None,
    seed: Seed = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the figures to this file.")
    ] = None,
    *,
    train: Annotated[bool, typer.Option("--train", help="Also train DTE and isolation forest.")] = False,
) -> None:
    """Check whether the ground truth leaks, and how hard a recipe is. Exit code 1: a leak."""
    if ":" not in source and (source.endswith((".yaml", ".yml")) or not Path(source).exists()):
        audits.publish(generator.load_recipe(source), seed, Console(), json, train=train)
        return
    audits.publish_injection(
        source,
        load_dataset(source, label_column, run_code=True),
        kind or INJECTABLE,
        Console(),
        json,
        ratio=ratio,
        seed=seed,
        protocol=protocol,
    )
