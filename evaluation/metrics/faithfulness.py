"""Faithfulness and fidelity: how the blame of sets of features goes with what they do to the score."""

import numpy as np

from xadbench.datasets.arrays import BoolArray, FloatArray
from xadbench.datasets.checks import at_least, matrix
from xadbench.datasets.errors import InputError
from xadbench.datasets.streams import stream

from .baselines import checked_baseline
from .checks import checked_attributions
from .perturbed import Score, before_and_after

# What varies by less, as a share of its magnitude, is constant up to rounding.
BLAME_ROUNDING, SCORE_ROUNDING = 1e-12, 1e-6  # scores may come from float32 networks


def faithfulness_at_k(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    k: int,
    baseline: FloatArray,
    n_subsets: int = 100,
    seed: int = 0,
) -> FloatArray:
    r"""Return the correlation of blame and effect over random sets of k features.

    .. math:: \mathrm{corr}_{|S| = k}\left(\sum_{i \in S} a_i,\; f(x) - f(x_{S \to \mathrm{baseline}})\right)

    Parameters
    ----------
    attributions : (n, d) float64
        Blame a, finite. Its unit does not matter.
    X : (n, d) float64
        The rows x that it explains.
    score
        The score f: rows (m, d) to values (m,).
    k
        Size of the sets, from 1 to d.
    baseline : (d,) or (n, d) float64
        The values that stand for "not there"; see `BASELINES`.
    n_subsets
        Sets drawn, at least 2, the same for all rows.
    seed
        Names the sets.

    Returns
    -------
    (n,) float64
        Pearson's correlation, in [-1, 1], higher is better; chance is 0. NaN where it is not defined: all
        sets have the same blame, or the same effect, up to rounding.

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
    ...     weights * X, X, lambda rows: rows @ weights, k=2, baseline=np.zeros(4)
    ... ).round(12)
    array([1.])
    """
    X = matrix(X)
    at_least(1, k=k)
    if k > X.shape[1]:
        raise InputError(f"k is {k}, expected at most the number of features, {X.shape[1]}")
    subsets = _subsets(np.full(n_subsets, k), X.shape[1], seed)
    return _subset_correlation(attributions, X, score, subsets, baseline)


def _subsets(sizes: FloatArray, n_features: int, seed: int) -> BoolArray:
    """Return one random set of features of each size, (s, d)."""
    at_least(2, n_subsets=len(sizes))
    rng = stream(seed, "faithfulness", "subsets")
    places = rng.random((len(sizes), n_features)).argsort(axis=1).argsort(axis=1)
    result: BoolArray = places < sizes[:, None]
    return result


def _subset_correlation(
    attributions: FloatArray, X: FloatArray, score: Score, subsets: BoolArray, baseline: FloatArray
) -> FloatArray:
    attributions, baseline = checked_attributions(attributions, X, "X"), checked_baseline(baseline, X)
    before, after = before_and_after(
        score,
        X,
        lambda rows, draws: np.where(subsets[draws], baseline[rows, None], X[rows, None]),
        len(subsets),
    )
    blame = attributions @ subsets.T.astype(float)
    varies = _varies(blame, BLAME_ROUNDING * np.abs(attributions).sum(axis=1))
    varies &= _varies(after, SCORE_ROUNDING * np.abs(before))
    return np.where(varies, _correlation(blame, before[:, None] - after), np.nan)


def _varies(values: FloatArray, rounding: FloatArray) -> BoolArray:
    varies: BoolArray = np.ptp(values, axis=1) > rounding
    return varies


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Pearson's correlation of each row of two matrices (n, s); 0 where one is constant."""
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
    norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    result: FloatArray = np.clip((a * b).sum(axis=1) / np.where(norm > 0, norm, 1), -1, 1)
    return result
