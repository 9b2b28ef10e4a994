"""Metrics that are one ratio of sums over rows: no row whose own ratio is extreme decides them."""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.rng import stream

from .intervals import bootstrap_interval

RESAMPLES = 2_000
CELLS_AT_ONCE = 2**20  # draws of rows held at once: 8 MB


def pooled_ratio(values: FloatArray, totals: FloatArray, weights: FloatArray | None = None) -> float:
    """Return the sum of values over the sum of totals, of the rows where both are defined; NaN of no row.

    Parameters
    ----------
    values, totals : (n,) float64
        The parts of a ratio; NaN where not defined.
    weights : (n,) float64, optional
        How much each row counts in both sums; default: 1.
    """
    is_defined = ~np.isnan(values + totals)
    own = np.ones(len(values)) if weights is None else weights
    total = float((totals * own)[is_defined].sum())
    return float((values * own)[is_defined].sum()) / total if total else float("nan")


def pooled_interval(values: FloatArray, totals: FloatArray) -> tuple[float, float]:
    """Return the 95 % interval of `pooled_ratio`: a bootstrap that draws the rows with replacement.

    Parameters
    ----------
    values, totals : (n,) float64
        The parts of a ratio, finite and totals above 0, of independent rows: equal rows are added up. The
        draws go by the order of the rows.

    Returns
    -------
    tuple of float
        Both ends, as of `bootstrap_interval`; NaN with fewer than two rows.
    """
    n_rows = len(values)
    if n_rows < 2:
        return float("nan"), float("nan")
    rng, drawn = stream(0, "metrics", "pooled", "bootstrap"), []
    step = max(CELLS_AT_ONCE // n_rows, 1)
    for start in range(0, RESAMPLES, step):
        rows = rng.integers(n_rows, size=(min(step, RESAMPLES - start), n_rows))
        drawn.append(values[rows].sum(axis=1) / totals[rows].sum(axis=1))
    ratio = np.array([pooled_ratio(values, totals)])
    low, high = bootstrap_interval(ratio, np.concatenate(drawn)[:, None], n_rows)
    return float(low[0]), float(high[0])
