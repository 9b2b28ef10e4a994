"""What happens to a table once, before a detector sees it."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .common.arrays import FloatArray
from .common.checks import matrix
from .common.errors import InputError
from .common.values import aligned, labels_of
from .scale import Scale
from .table import LabelledTable, check_table

FEWEST_ROWS, MOST_ROWS = 1_000, 50_000


def resize(table: LabelledTable, rng: np.random.Generator) -> LabelledTable:
    """Apply ADBench's size rules.

    Fewer than 1,000 rows are resampled with replacement to 1,000; more than 50,000 are thinned to 50,000
    drawn without replacement; anything between stays as it is.

    Source: Han et al. 2022, as the published experiments of DSIL apply it.
    """
    check_table(table, "table")
    if table.n_rows < FEWEST_ROWS:
        return table.rows(rng.integers(table.n_rows, size=FEWEST_ROWS))
    if table.n_rows > MOST_ROWS:
        return table.rows(rng.choice(table.n_rows, size=MOST_ROWS, replace=False))
    return table


def standardise(table: LabelledTable, training: LabelledTable | ArrayLike | None = None) -> LabelledTable:
    """Return the table with every feature at mean 0 and standard deviation 1 over the training rows.

    Parameters
    ----------
    table
        The rows to map; the clean twin goes through the same map.
    training
        The rows that fix the map, a table, a frame, or an array (n, d), which has the columns of `table` in
        their order; default: those of `table`. A feature constant over them is only centred.

    Raises
    ------
    InputError
        If `table` is no table: an array has no clean twin to go along; scikit-learn's `StandardScaler` maps
        it alike. If `training` has other features.
    """
    check_table(table, "table")
    scale = Scale.of(table.X if training is None else _training_rows(training, table))
    clean = None if table.clean is None else scale.forward(table.clean)
    return replace(table, X=scale.forward(table.X), clean=clean)


def _training_rows(training: LabelledTable | ArrayLike, table: LabelledTable) -> FloatArray:
    """Return the rows (m, d) of `training`, with the columns in the order of the table's."""
    if isinstance(training, LabelledTable):
        if training.feature_names == table.feature_names:
            return training.X
        training = training.to_pandas()[[*training.feature_names]]
    rows = aligned(training, "training", table.feature_names, labels_of(training).rows)
    return matrix(rows, "training", min_rows=1, n_columns=table.n_features)


def semi_supervised_split(
    table: LabelledTable, rng: np.random.Generator
) -> tuple[LabelledTable, LabelledTable]:
    """Return training rows, half of the normal ones, and test rows: the other half and all anomalies.

    The half is drawn without replacement, rounded down; the test rows keep their order.

    Raises
    ------
    InputError
        If there are fewer than 4 normal rows, or no anomaly.

    Notes
    -----
    Source: Livernoche et al. 2024 (arXiv 2305.18593), as the published experiments of DSIL apply it: after
    `resize`, so that a row of a small table may be repeated on both sides.
    """
    normal = np.flatnonzero(~table.y)
    if len(normal) < 4 or len(normal) == table.n_rows:
        raise InputError(
            f"{len(normal)} normal rows of {table.n_rows}; a semi-supervised split needs at least 4 normal "
            "rows and an anomaly"
        )
    drawn = rng.permutation(normal)[: len(normal) // 2]
    is_test = np.ones(table.n_rows, dtype=bool)
    is_test[drawn] = False
    return table.rows(np.sort(drawn)), table.rows(np.flatnonzero(is_test))
