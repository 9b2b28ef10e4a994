"""`xadbench inject`: anomalies with known features in real rows."""

from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from xadbench import generator
from xadbench.datasets.common.errors import check_all
from xadbench.datasets.sources.loading import load_dataset
from xadbench.generator.injection.inject import DEFAULT_KINDS, check_settings

from .options import Affected, Force, LabelColumn, Out, Seed
from .replacing import TABLE, replaceable
from .tables import save

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench inject bundled:wine --kind global --kind local --ratio 0.1")
def inject(  # noqa: PLR0917  # an option each
    dataset: Annotated[
        str,
        typer.Argument(
            help="bundled:NAME, adbench:NAME, a .csv or .parquet file, a folder, or module:function."
        ),
    ],
    kind: Annotated[list[str] | None, typer.Option(help="A kind of anomaly. May be repeated.")] = None,
    ratio: Annotated[float, typer.Option(help="The share of anomalous rows, between 0 and 1.")] = 0.05,
    base: Annotated[
        Literal["rows", "gmm"],
        typer.Option(help="rows uses the real rows; gmm a Gaussian mixture fitted to them."),
    ] = "rows",
    protocol: Affected = "per-row",
    label_column: LabelColumn = None,
    seed: Seed = 0,
    out: Out = None,
    *,
    force: Force = False,
) -> None:
    """Inject anomalies into real normal rows. Default folder: tables/DATASET-injected-seed-SEED."""
    name = Path(dataset.replace(":", "-")).name
    kinds = tuple(kind) if kind else DEFAULT_KINDS
    load = cache(partial(load_dataset, dataset, label_column, run_code=True))
    check_all([load, partial(check_settings, kinds, ratio, base, protocol)])
    folder = out or Path("tables") / f"{name}-injected-seed-{seed}"
    with replaceable(folder, TABLE, is_forced=force):
        save([generator.inject(load(), kinds, ratio=ratio, base=base, seed=seed, protocol=protocol)], folder)
