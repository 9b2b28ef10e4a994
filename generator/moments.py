"""Means and standard deviations that are the same bits everywhere.

`math.fsum` rounds once, whatever the order of the terms; NumPy's sums depend on its version and on the CPU.
"""

import math

import numpy as np

from xadbench.datasets.common.arrays import FloatArray


def mean(values: FloatArray) -> float:
    """Return the mean over all of `values`; infinite where the sum is beyond float64."""
    try:
        return math.fsum(values.ravel().tolist()) / values.size
    except OverflowError:
        return math.inf


def std(values: FloatArray) -> float:
    """Return the standard deviation (divisor n) over all of `values`; not finite where the mean is not.

    Deviations are divided by the largest first, so that no square overflows or vanishes.
    """
    centre = mean(values)
    if not math.isfinite(centre):
        return math.inf
    deviations = values - centre
    largest = float(np.abs(deviations).max())  # a maximum rounds nothing, so its bits are stable
    if largest == 0:
        return 0.0
    scaled = deviations / largest
    return largest * math.sqrt(mean(scaled * scaled))


def column_means(values: FloatArray) -> FloatArray:
    """Return the mean of each column, (d,)."""
    return np.array([mean(column) for column in values.T])


def column_stds(values: FloatArray) -> FloatArray:
    """Return the standard deviation (divisor n) of each column, (d,)."""
    return np.array([std(column) for column in values.T])
