"""Fill values: the values that stand for "this feature is not there", as a declared choice.

A background row is taken for normal if the detector scores it at or below the background's median.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError, find
from xadbench.datasets.common.values import numbers
from xadbench.datasets.rng import stream

from .perturbed import Score, in_chunks

NEIGHBOURS = 10

FillFunction = Callable[[FloatArray, FloatArray, Score, int], FloatArray]


@dataclass(frozen=True)
class FillValue:
    """A choice of fill value.

    Parameters
    ----------
    description
        One line for lists and reports.
    values
        Function of rows (n, d), background (b, d), score and seed: the fill value, (d,) or (n, d).
    version
        Raised when values change.
    """

    description: str
    values: FillFunction
    version: int = 1


def make_fill_value(
    name: str, X: FloatArray, background: FloatArray, score: Score, *, seed: int = 0
) -> FloatArray:
    """Return the fill value of rows.

    Parameters
    ----------
    name
        A key of `FILL_VALUES`.
    X : (n, d) float64
        The rows whose features are to be taken away.
    background : (b, d) float64
        The rows that stand for the detector's training data.
    score
        The detector's score, which tells what is normal.
    seed
        Names the conditional draw.

    Returns
    -------
    (d,) or (n, d) float64
        A row's fill value does not depend on the other rows.

    Raises
    ------
    InputError
        If the name is unknown, or `X` or the background is not a finite matrix.
    """
    X, background = matrix(X), matrix(background, "background", min_rows=1, n_columns=np.shape(X)[-1])
    return find("fill_value", name, FILL_VALUES).values(X, background, score, seed)


def checked_fill_value(fill_value: FloatArray, X: FloatArray) -> FloatArray:
    """Return a fill value for each row, (n, d); `InputError` if it is not finite, (d,) or (n, d)."""
    values = np.asarray(numbers(fill_value, "fill_value"), dtype=np.float64)
    if values.shape not in {X.shape, X.shape[1:]} or not np.isfinite(values).all():
        raise InputError(f"fill_value has shape {values.shape}, expected finite {X.shape[1:]} or {X.shape}")
    return np.broadcast_to(values, X.shape)


def _mean(X: FloatArray, background: FloatArray, score: Score, seed: int) -> FloatArray:  # noqa: ARG001  # one signature
    mean: FloatArray = background.mean(axis=0)
    return mean


def _median(X: FloatArray, background: FloatArray, score: Score, seed: int) -> FloatArray:  # noqa: ARG001  # as above
    return np.median(background, axis=0)


def _nearest(X: FloatArray, background: FloatArray, score: Score, seed: int) -> FloatArray:  # noqa: ARG001  # as above
    normal = _normal_rows(background, score)
    # Not by matrix products, whose rounding depends on the other rows.
    from scipy.spatial.distance import cdist  # noqa: PLC0415  # takes a while to import

    nearest = [int(cdist(x[None], normal, "sqeuclidean").argmin()) for x in X]
    return normal[np.array(nearest, dtype=np.int64)]


def _conditional(X: FloatArray, background: FloatArray, score: Score, seed: int) -> FloatArray:
    """Return each feature's value in a normal row drawn among the nearest by all other features.

    Which one, the nearest or the tenth, is drawn once for each feature: it is the same for all rows.
    """
    normal = _normal_rows(background, score)
    near = min(NEIGHBOURS, len(normal))
    rank = stream(seed, "baseline", "conditional").integers(near, size=X.shape[1])
    columns = np.arange(X.shape[1])
    drawn = np.empty_like(X)
    for values, x in zip(drawn, X, strict=True):
        squares = (normal - x) ** 2
        by_others = squares.sum(axis=1, keepdims=True) - squares
        values[:] = normal[by_others.argpartition(np.arange(near), axis=0)[rank, columns], columns]
    return drawn


def _normal_rows(background: FloatArray, score: Score) -> FloatArray:
    scores = in_chunks(score, background)
    if np.isnan(scores).all():
        raise InputError("score is finite for no row of the background, so none is known to be normal")
    normal = background[scores <= np.nanmedian(scores)]
    # Sorted: of rows that are equally near, the same one is taken in any order of the background.
    return normal[np.lexsort(normal.T)]


FILL_VALUES: dict[str, FillValue] = {
    "mean": FillValue("the background's mean", _mean),
    "median": FillValue("the background's median, feature by feature", _median),
    "nearest": FillValue("the nearest normal row of the background", _nearest, version=2),
    "conditional": FillValue(
        "each feature from one of the ten normal rows nearest in all the others", _conditional, version=2
    ),
}
