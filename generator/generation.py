"""Tables from recipes."""

import os
from collections.abc import Iterator

from xadbench.datasets.common.limits import check_memory
from xadbench.datasets.table import LabelledTable

from .calibration import resolve
from .draws import check_seed
from .recipe import Recipe, load_recipe
from .simulation import simulate

BYTES_OF_CELL = 17  # of X, the clean twin and the mask


def generate(recipe: Recipe | str | os.PathLike[str], seed: int = 0) -> LabelledTable:
    """Simulate a table with known ground truth.

    Graph, noise parameters, rows, positions and every anomaly kind have random streams of their own, which do
    not depend on the recipe: recipes that differ in the anomalies alone share their clean rows. The content
    does not depend on NumPy's version, threads or the machine.

    A long table consists of blocks of 8,192 rows; see `generate_blocks`.

    Parameters
    ----------
    recipe
        What to make: a recipe, the name of a shipped one, or the path of a .yaml file; see `load_recipe`.
    seed
        Which of the recipe's tables, at least 0.

    Returns
    -------
    LabelledTable
        `recipe.rows` rows with mask and clean twin. The provenance holds the whole recipe and the seed.

    Raises
    ------
    InputError
        If there is no such recipe, `seed` is not an integer of at least 0, or the table does not fit into
        the memory of the machine.

    Examples
    --------
    >>> from xadbench import generate
    >>> generate("contextual-d10", seed=0).X.shape
    (5000, 10)
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    # Twice: the blocks, and the table that is made of them.
    check_memory(
        2 * BYTES_OF_CELL * recipe.rows * recipe.graph.nodes,
        f"a table of {recipe.rows} rows as one object",
        "`xadbench generate --rows N --chunk-rows K` writes it to disk with K rows in memory",
    )
    return LabelledTable.concatenate(list(generate_blocks(recipe, seed)))


def generate_blocks(recipe: Recipe | str | os.PathLike[str], seed: int = 0) -> Iterator[LabelledTable]:
    """Yield the table of `generate` in blocks of 8,192 rows, one at a time in memory; see `simulate`.

    Strengths that are given as goals become numbers first; the provenance has them under "calibration".
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    resolved, found = resolve(recipe, check_seed(seed))
    calibration = {"calibration": [one._asdict() for one in found]} if found else {}
    return simulate(resolved, seed, calibration)
