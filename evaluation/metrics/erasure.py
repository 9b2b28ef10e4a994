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
        f(x) - f(x with the top k at the fill value), in units of the score; higher is better.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a size is out of range.

    Notes
    -----
    Source: DeYoung et al. 2020 (ERASER), arXiv 1911.03429; as a deletion curve, Samek et al. 2017.
    """
    before, after = _erased(attributions, X, score, fill_value, _sizes(sizes, X), takes_top=True, seed=seed)
    return before[:, None] - after


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
    before, after = _erased(attributions, X, score, fill_value, _sizes(sizes, X), takes_top=False, seed=seed)
    return before[:, None] - after


def comprehensiveness(
    attributions: FloatArray, X: FloatArray, score: Score, *, fill_value: FloatArray, seed: int = 0
) -> FloatArray:
    """Return the area under `comprehensiveness_curve`, as a share of the fall with all at the fill value.

    Returns
    -------
    (n,) float64
        The mean over `set_sizes(d)`, that is the area over the logarithm of k; higher is better. 1 if the
        first feature alone takes all of the fall; above 1 where the others hold the score up. NaN where
        the row does not score above its fill value. A row that barely does has a value far from [0, 1], which
        weighs on a mean: more so with a fill value that is close to the row, as the nearest one is.
    """
    return mean_over_sizes(
        erasure_shares(attributions, X, score, fill_value=fill_value, takes_top=True, seed=seed)
    )


def sufficiency(
    attributions: FloatArray, X: FloatArray, score: Score, *, fill_value: FloatArray, seed: int = 0
) -> FloatArray:
    """Return the area under `sufficiency_curve`, as a share of the fall with all at the fill value.

    Returns
    -------
    (n,) float64
        The mean over `set_sizes(d)`; lower is better. 0 if the first feature alone keeps the score; below 0
        where the others hold it down. NaN where the row does not score above its fill value.
    """
    return mean_over_sizes(
        erasure_shares(attributions, X, score, fill_value=fill_value, takes_top=False, seed=seed)
    )


def erasure_shares(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    fill_value: FloatArray,
    takes_top: bool,
    seed: int = 0,
) -> FloatArray:
    """Return the curve of comprehensiveness (`takes_top`) or sufficiency as shares of the whole fall.

    Returns
    -------
    (n, s) float64
        For each of `set_sizes(d)` the fall over that with all features at the fill value. NaN in rows that do
        not score above their fill value, or where a score is not finite.
    """
    everything = X.shape[1] if takes_top else 0
    sizes = np.append(set_sizes(X.shape[1]), everything)
    before, after = _erased(attributions, X, score, fill_value, sizes, takes_top=takes_top, seed=seed)
    falls = before[:, None] - after
    is_defined = np.isfinite(falls).all(axis=1) & (falls[:, -1] > SCORE_ROUNDING * np.abs(before))
    shares: FloatArray = falls[:, :-1] / np.where(is_defined, falls[:, -1], np.nan)[:, None]
    return shares


def _erased(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    fill_value: FloatArray,
    sizes: IntArray,
    *,
    takes_top: bool,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Return f(x) (n,) and f (n, s) of the rows without their top features, or with only them."""
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    fill_value = checked_fill_value(fill_value, X)
    place = _places(attributions, seed)

    def changed(rows: slice, draws: slice) -> FloatArray:
        is_top: BoolArray = place[rows, None] < sizes[draws, None]
        return np.where(is_top == takes_top, fill_value[rows, None], X[rows, None])

    return before_and_after(score, X, changed, len(sizes))


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
