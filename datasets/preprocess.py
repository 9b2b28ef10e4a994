"""What happens to a table once, before a detector sees it."""

from dataclasses import replace

import numpy as np
from sklearn.preprocessing import StandardScaler

from xadbench.datasets.table import LabelledTable

FEWEST_ROWS, MOST_ROWS = 1_000, 50_000


def resize(table: LabelledTable, rng: np.random.Generator) -> LabelledTable:
    """Apply ADBench's size rules.

    Fewer than 1,000 rows are resampled with replacement to 1,000; more than 50,000 are thinned to 50,000
    drawn without replacement; anything between stays as it is.

    Source: Han et al. 2022, as the published experiments of DSIL apply it.
    """
    if table.n_rows < FEWEST_ROWS:
        return table.rows(rng.integers(table.n_rows, size=FEWEST_ROWS))
    if table.n_rows > MOST_ROWS:
        return table.rows(rng.choice(table.n_rows, size=MOST_ROWS, replace=False))
    return table


def standardise(table: LabelledTable) -> LabelledTable:
    """Return the table with every feature at mean 0 and standard deviation 1 over all rows.

    The clean twin goes through the same map; a constant feature becomes 0.
    """
    scaler = StandardScaler().fit(table.X)
    clean = None if table.clean is None else scaler.transform(table.clean)
    return replace(table, X=scaler.transform(table.X), clean=clean)
