"""Where the middle of each column lies and how far its values spread, never 0."""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray

NORMAL_MAD = 1.4826  # what makes a median absolute deviation a normal's standard deviation
NORMAL_MEAN_AD = 1.2533  # the same for a mean absolute deviation


def moments(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the standard deviation of each column, (d,) and (d,).

    A column that is constant has no spread. The rounding of its value takes the place, so that the constant
    itself lies at 0, and any other value further out than a value of a varying column could.
    """
    constant = is_constant(rows)  # a mean may round, and so fake a spread
    mean = np.where(constant, rows[0], rows.mean(axis=0))
    return mean, _or_rounding(np.where(constant, 0.0, rows.std(axis=0)), mean)


def robust_moments(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the median and a robust standard deviation of each column, (d,) and (d,).

    The spread is 1.4826 MAD; where more than half of the values are equal and the MAD therefore 0, 1.2533
    times the mean absolute deviation (Iglewicz & Hoaglin 1993); where that is 0 too, as of `moments`.
    """
    median = np.median(rows, axis=0)
    deviation = np.abs(rows - median)
    mad = NORMAL_MAD * np.median(deviation, axis=0)
    spread = np.where(mad > 0, mad, NORMAL_MEAN_AD * deviation.mean(axis=0))
    return median, _or_rounding(spread, median)


def is_constant(rows: FloatArray) -> BoolArray:
    """Return which columns hold one value only, (d,) bool."""
    result: BoolArray = rows.min(axis=0) == rows.max(axis=0)
    return result


def rounding(values: FloatArray) -> FloatArray:
    """Return the distance from each value, or from 1 if that is larger, to the next number."""
    result: FloatArray = np.spacing(np.maximum(np.abs(values), 1.0))
    return result


def _or_rounding(spread: FloatArray, centre: FloatArray) -> FloatArray:
    return np.where(spread > 0, spread, rounding(centre))
