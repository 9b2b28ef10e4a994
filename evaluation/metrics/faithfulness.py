"""Faithfulness and fidelity: how the attribution of sets of features goes with what they do to the score."""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream

from .base import mean_over_sizes
from .checks import checked_attributions
from .correlation import correlation
from .erasure import set_sizes
from .fill_values import checked_fill_value
from .perturbed import SCORE_ROUNDING, Score, before_and_after

SUM_ROUNDING = 1e-12  # of the sum of a row's absolute attributions


def faithfulness_at_k(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    k: int,
    fill_value: FloatArray,
    n_subsets: int = 100,
    seed: int = 0,
) -> FloatArray:
    r"""Return the correlation of attributions and effect over random sets of k features.

    .. math:: \mathrm{corr}_{|S| = k}\left(\sum_{i \in S} a_i,\; f(x) - f(x_{S \to \mathrm{fill}})\right)

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions a, finite. Its unit does not matter.
    X : (n, d) float64
        The rows x that it explains.
    score
        The score f: rows (m, d) to values (m,).
    k
        Size of the sets, from 1 to d.
    fill_value : (d,) or (n, d) float64
        The values that stand for "not there"; see `FILL_VALUES`.
    n_subsets
        Sets drawn, at least 2, the same for all rows.
    seed
        Names the sets.

    Returns
    -------
    (n,) float64
        Pearson's correlation, in [-1, 1], higher is better; chance is 0. NaN where it is not defined: all
        sets have the same attributions, or the same effect, up to rounding.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a setting is out of range.

    Notes
    -----
    Source: Bhatt et al. 2020, arXiv 2005.00631, definition 3, as in Vincent et al. 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> X, weights = np.array([[1.0, 2.0, -1.0, 0.5]]), np.array([3.0, -1.0, 2.0, 1.0])
    >>> metrics.faithfulness_at_k(
    ...     weights * X, X, lambda rows: rows @ weights, k=2, fill_value=np.zeros(4)
    ... ).round(12)
    array([1.])
    """
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    at_least(1, k=k)
    if k > X.shape[1]:
        raise InputError(f"k is {k}, expected at most the number of features, {X.shape[1]}")
    subsets = _subsets(np.full(n_subsets, k), X.shape[1], seed)
    return _subset_correlation(attributions, X, score, subsets, fill_value)


def faithfulness_curve(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    sizes: IntArray | None = None,
    n_subsets: int = 100,
    seed: int = 0,
) -> FloatArray:
    """Return `faithfulness_at_k` (n, s) for each k of `sizes` (s,); default: `set_sizes(d)`."""
    sizes = set_sizes(np.shape(X)[-1]) if sizes is None else sizes
    curve = [
        faithfulness_at_k(
            attributions, X, score, k=int(k), fill_value=fill_value, n_subsets=n_subsets, seed=seed
        )
        for k in sizes
    ]
    return np.stack(curve, axis=1)


def faithfulness(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    n_subsets: int = 100,
    seed: int = 0,
) -> FloatArray:
    """Return the area (n,) under `faithfulness_curve` over the logarithm of k: its mean over `set_sizes(d)`.

    In [-1, 1], higher is better; chance is 0. The mean is over the k where the curve is defined; NaN where it
    is so nowhere.
    """
    return mean_over_sizes(
        faithfulness_curve(attributions, X, score, fill_value=fill_value, n_subsets=n_subsets, seed=seed)
    )


@one_thread()
def fidelity(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    n_subsets: int = 100,
    seed: int = 0,
) -> FloatArray:
    r"""Return how well the attributions, added up, stand for the score when features of any number go.

    Pearson's correlation, as of `faithfulness_at_k`, over random sets whose size is uniform on 1 to d - 1.
    Its square is the R^2 of the score's fall on the additive explanation, rescaled as serves it best.

    Returns
    -------
    (n,) float64
        In [-1, 1], higher is better. Attributions of one sign get credit for the number of features alone, so
        chance is not 0; `faithfulness` gives none. NaN where it is not defined, as where d = 1.

    Notes
    -----
    Source: local fidelity, the R^2 of an additive surrogate on perturbed rows, of Ribeiro et al. 2016 (LIME),
    arXiv 1602.04938; here of the given attributions, whose unit is free, rather than of a surrogate's fit.
    """
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    sizes = stream(seed, "fidelity", "sizes").integers(1, max(X.shape[1], 2), size=n_subsets)
    return _subset_correlation(attributions, X, score, _subsets(sizes, X.shape[1], seed), fill_value)


def _subsets(sizes: IntArray, n_features: int, seed: int) -> BoolArray:
    """Return one random set of features of each size, (s, d)."""
    at_least(2, n_subsets=len(sizes))
    rng = stream(seed, "faithfulness", "subsets")
    places = rng.random((len(sizes), n_features)).argsort(axis=1).argsort(axis=1)
    result: BoolArray = places < sizes[:, None]
    return result


def _subset_correlation(
    attributions: FloatArray, X: FloatArray, score: Score, subsets: BoolArray, fill_value: FloatArray
) -> FloatArray:
    fill_value = checked_fill_value(fill_value, X)
    before, after = before_and_after(
        score,
        X,
        lambda rows, draws: np.where(subsets[draws], fill_value[rows, None], X[rows, None]),
        len(subsets),
    )
    sums = attributions @ subsets.T.astype(float)
    return correlation(
        sums,
        before[:, None] - after,
        SUM_ROUNDING * np.abs(attributions).sum(axis=1),
        SCORE_ROUNDING * np.abs(before),
    )
