"""Comprehensiveness and sufficiency: the score without the top-ranked features, and with only them.

Both set features to a fill value, in the order of their attributions. Tied features go in one random order
of the columns, the same for all rows: a score is not linear, so that ties have no cheap expectation.
"""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream

from .base import mean_over_sizes
from .checks import checked_attributions
from .fill_values import checked_fill_value
from .perturbed import SCORE_ROUNDING, Score, before_and_after
from .pooled import pooled_ratio

N_SIZES = 10


def set_sizes(n_features: int) -> IntArray:
    """Return up to ten sizes of feature sets from 1 to d - 1, evenly spread in their logarithm; (k,) int.

    Examples
    --------
    >>> from xadbench.evaluation.metrics.erasure import set_sizes
    >>> set_sizes(10).tolist(), set_sizes(1000).tolist()
    ([1, 2, 3, 4, 6, 7, 9], [1, 2, 5, 10, 22, 46, 100, 215, 464, 999])
    """
    return np.unique(np.geomspace(1, max(n_features - 1, 1), N_SIZES).round().astype(int))


def comprehensiveness_curve(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    sizes: IntArray | None = None,
    seed: int = 0,
) -> FloatArray:
    """Return how far each row's score falls when its k top-ranked features go to the fill value.

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible. Only its order within a row counts.
    X : (n, d) float64
        The rows that it explains.
    score
        The score f: rows (m, d) to values (m,).
    fill_value : (d,) or (n, d) float64
        The values that stand for "not there"; see `FILL_VALUES`.
    sizes : (s,) int, optional
        The values of k, from 0 to d; default: `set_sizes(d)`.
    seed
        Names the order of tied features.

    Returns
    -------
    (n, s) float64
        f(x) - f(x with the top k at the fill value), in units of the score; higher is better. NaN in rows
        with a score that is not finite.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a size is out of range.

    Notes
    -----
    Source: DeYoung et al. 2020 (ERASER), arXiv 1911.03429; as a deletion curve, Samek et al. 2017.
    """
    return _falls(attributions, X, score, fill_value, _sizes(sizes, X), takes_top=True, seed=seed)


def sufficiency_curve(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    sizes: IntArray | None = None,
    seed: int = 0,
) -> FloatArray:
    """Return how far each row's score falls when all but its k top-ranked features go to the fill value.

    Parameters, errors and source are those of `comprehensiveness_curve`.

    Returns
    -------
    (n, s) float64
        f(x) - f(x with all but the top k at the fill value), in units of the score; lower is better.
    """
    return _falls(attributions, X, score, fill_value, _sizes(sizes, X), takes_top=False, seed=seed)


def total_fall(X: FloatArray, score: Score, *, fill_value: FloatArray) -> FloatArray:
    """Return how far each row's score falls when all its features go to the fill value.

    Parameters and errors are those of `comprehensiveness_curve`.

    Returns
    -------
    (n,) float64
        f(x) - f(fill value), in units of the score. NaN in rows that do not score above their fill value, in
        which there is nothing for features to account for, or where a score is not finite.
    """
    X = matrix(X)
    fill_value = checked_fill_value(fill_value, X)
    before, after = before_and_after(score, X, lambda rows, _: fill_value[rows, None], 1)
    fall = before - after[:, 0]
    return np.where(fall > SCORE_ROUNDING * np.abs(before), fall, np.nan)


def comprehensiveness(
    attributions: FloatArray, X: FloatArray, score: Score, *, fill_value: FloatArray, seed: int = 0
) -> float:
    """Return the area under `comprehensiveness_curve` of all rows together, as a share of their total fall.

    The falls without the top k features, averaged over `set_sizes(d)` (the area over the logarithm of k) and
    summed over rows, over the sum of the falls with all features at the fill value. A mean of the rows' own
    ratios would be decided by the rows that hardly fall.

    Returns
    -------
    float
        Higher is better. 1 if each row's first feature alone takes all of the fall; above 1 where the others
        hold the score up. Rows that do not score above their fill value are left out; NaN if none is left.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> X = np.array([[3.0, 1.0], [-2.0, 2.5]])  # the second row hardly scores above its fill value
    >>> round(metrics.comprehensiveness(X, X, lambda rows: rows.sum(axis=1), fill_value=np.zeros(2)), 3)
    1.222
    """
    curve = comprehensiveness_curve(attributions, X, score, fill_value=fill_value, seed=seed)
    return pooled_ratio(mean_over_sizes(curve), total_fall(X, score, fill_value=fill_value))


def sufficiency(
    attributions: FloatArray, X: FloatArray, score: Score, *, fill_value: FloatArray, seed: int = 0
) -> float:
    """Return the area under `sufficiency_curve` of all rows together, as a share of their total fall.

    As `comprehensiveness`, of the falls with only the top k features left.

    Returns
    -------
    float
        Lower is better. 0 if each row's first feature alone keeps the score; below 0 where the others hold it
        down. Rows that do not score above their fill value are left out; NaN if none is left.
    """
    curve = sufficiency_curve(attributions, X, score, fill_value=fill_value, seed=seed)
    return pooled_ratio(mean_over_sizes(curve), total_fall(X, score, fill_value=fill_value))


def _falls(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    fill_value: FloatArray,
    sizes: IntArray,
    *,
    takes_top: bool,
    seed: int,
) -> FloatArray:
    """Return how far f falls (n, s) without a row's top features, or with only them."""
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    fill_value = checked_fill_value(fill_value, X)
    place = _places(attributions, seed)

    def changed(rows: slice, draws: slice) -> FloatArray:
        is_top: BoolArray = place[rows, None] < sizes[draws, None]
        return np.where(is_top == takes_top, fill_value[rows, None], X[rows, None])

    before, after = before_and_after(score, X, changed, len(sizes))
    falls = before[:, None] - after
    return np.where(np.isfinite(falls).all(axis=1, keepdims=True), falls, np.nan)


def _places(attributions: FloatArray, seed: int) -> IntArray:
    """Return each feature's place (n, d) in its row's order of attributions, 0 for the top-ranked."""
    columns = stream(seed, "erasure", "ties").permutation(attributions.shape[1])
    order = columns[np.argsort(-attributions[:, columns], axis=1, kind="stable")]
    return order.argsort(axis=1)


def _sizes(sizes: IntArray | None, X: FloatArray) -> IntArray:
    n_features = np.shape(X)[-1]
    if sizes is None:
        return set_sizes(n_features)
    sizes = np.asarray(sizes)
    if sizes.ndim != 1 or len(sizes) == 0 or sizes.min() < 0 or sizes.max() > n_features:
        raise InputError(f"sizes is {sizes.tolist()}, expected a list of numbers from 0 to {n_features}")
    return sizes
