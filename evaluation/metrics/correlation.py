"""Pearson's correlation, row by row."""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray


def exponents(values: FloatArray) -> IntArray:
    """Return the exponent (n,) of a power of two above each row's largest absolute value; 0 for zeros."""
    result: IntArray = np.frexp(np.abs(values).max(axis=1, initial=0.0))[1].astype(np.int64)
    return result


def without_unit(values: FloatArray) -> FloatArray:
    """Return each row divided by a power of two, so that its largest absolute value is in [1/2, 1).

    That rounds nothing, and no square overflows or vanishes: what has no unit does not depend on one.
    """
    result: FloatArray = np.ldexp(values, -exponents(values)[:, None])
    return result


def correlation(
    a: FloatArray, b: FloatArray, a_rounding: FloatArray | float = 0.0, b_rounding: FloatArray | float = 0.0
) -> FloatArray:
    """Return the correlation (n,) of each row of two matrices (n, s).

    NaN where the values of a row span no more than the rounding error, (n,) or one for all, of their side.
    """
    varies = (np.ptp(a, axis=1) > a_rounding) & (np.ptp(b, axis=1) > b_rounding)
    a, b = (without_unit(values - values.mean(axis=1, keepdims=True)) for values in (a, b))
    norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    result: FloatArray = np.clip((a * b).sum(axis=1) / np.where(varies & (norm > 0), norm, np.nan), -1, 1)
    return result
