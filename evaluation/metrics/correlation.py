"""Pearson's correlation, row by row."""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray


def correlation(
    a: FloatArray, b: FloatArray, a_rounding: FloatArray | float = 0.0, b_rounding: FloatArray | float = 0.0
) -> FloatArray:
    """Return the correlation (n,) of each row of two matrices (n, s).

    NaN where the values of a row span no more than the rounding error, (n,) or one for all, of their side.
    """
    varies = (np.ptp(a, axis=1) > a_rounding) & (np.ptp(b, axis=1) > b_rounding)
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
    norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    result: FloatArray = np.clip((a * b).sum(axis=1) / np.where(varies & (norm > 0), norm, np.nan), -1, 1)
    return result
