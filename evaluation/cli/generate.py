"""`xadbench generate`: a table from a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from xadbench import generator
from xadbench.datasets.common.limits import check_memory
from xadbench.datasets.common.parquet import CHUNK_ROWS
from xadbench.generator.generation import BYTES_OF_CELL

from .options import RECIPE, Force, Out, Seed, completing
from .replacing import TABLE, replaceable
from .tables import save

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench generate table2-d10-5 --seed 1 --rows 500 --out tables/ten")
def generate(
    recipe: Annotated[str, typer.Argument(help=RECIPE, autocompletion=completing(generator.recipe_names))],
    seed: Seed = 0,
    rows: Annotated[
        int | None, typer.Option(help="The number of rows, instead of that of the recipe.")
    ] = None,
    chunk_rows: Annotated[
        int,
        typer.Option(min=1, help="Rows to hold in memory and write at once. Does not change the content."),
    ] = CHUNK_ROWS,
    out: Out = None,
    *,
    force: Force = False,
) -> None:
    """Generate a table from a recipe. Default folder: tables/RECIPE-seed-SEED."""
    loaded = generator.load_recipe(recipe)
    loaded = loaded if rows is None else generator.with_rows(loaded, rows)
    in_memory = min(chunk_rows, loaded.rows)
    check_memory(
        2 * BYTES_OF_CELL * in_memory * loaded.graph.nodes,
        f"{in_memory} rows at once",
        f"give a smaller --chunk-rows, such as its default of {CHUNK_ROWS}",
    )
    folder = out or Path("tables") / f"{loaded.name}-seed-{seed}"
    with replaceable(folder, TABLE, is_forced=force):
        save(generator.generate_blocks(loaded, seed), folder, chunk_rows)
