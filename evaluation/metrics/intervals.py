"""Confidence intervals from a bootstrap."""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

LEVEL = 0.95


def bootstrap_interval(
    mean: FloatArray, drawn: FloatArray, n_sources: int, level: float = LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Return both ends (n_entries,) of the percentile interval, widened as t is beside a normal one.

    A bootstrap of few sources is too narrow: its spread lacks a factor of sqrt(n / (n - 1)), and the tails of
    Student's t. With one source alone there is no interval: NaN.

    Parameters
    ----------
    mean : (n_entries,) float64
        The centres.
    drawn : (n_resamples, n_entries) float64
        Their resamples, as of `resampled_means`.
    n_sources
        How many sources, or other independent units, these were drawn from.
    level
        Of confidence, in (0, 1).
    """
    from scipy.stats import norm, t  # noqa: PLC0415  # takes a while to import

    if n_sources == 1:
        unknown = np.full(len(mean), np.nan)
        return unknown, unknown
    tail = (1 + LEVEL) / 2  # whatever the level: beyond, quantiles of few sources are all of the extreme one
    widened = np.sqrt(n_sources / (n_sources - 1)) * t.ppf((1 + level) / 2, n_sources - 1) / norm.ppf(tail)
    low, high = np.quantile(drawn, [1 - tail, tail], axis=0)
    return mean + widened * (low - mean), mean + widened * (high - mean)
