"""What estimators and explainers ask of their input."""

import numpy as np
from numpy.typing import ArrayLike

from .arrays import FloatArray
from .errors import InputError
from .values import aligned, labels_of, numbers


def at_least(minimum: int, **settings: int) -> None:
    """Raise `InputError` unless every setting is an integer of at least `minimum`."""
    for name, value in settings.items():
        if not isinstance(value, int | np.integer) or value < minimum:
            raise InputError(f"{name} is {value!r}, expected an integer of at least {minimum}")


def matrix(X: ArrayLike, name: str = "X", min_rows: int = 0, n_columns: int | None = None) -> FloatArray:
    """Return `X` as a finite C-ordered float64 matrix (n, d), n at least `min_rows`, d at least 1.

    Raises
    ------
    InputError
        If `X` holds anything but numbers that float64 holds, is not two-dimensional, too small, has another
        number of columns than `n_columns`, or a value that is NaN or infinite.
    """
    values = np.ascontiguousarray(numbers(X, name), dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < min_rows or values.shape[1] < 1:
        raise InputError(f"{name} has shape {values.shape}, expected (n, d) with n >= {min_rows}, d >= 1")
    if n_columns is not None:
        check_columns(values.shape[1], n_columns)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        where = (labels_of(X).columns or range(values.shape[1]))[column]
        raise InputError(
            f"{name} has {len(bad)} value(s) that are NaN or infinite; first: row {row}, column {where!r}"
        )
    return values


def finite_scores(values: ArrayLike, n_rows: int, who: str) -> FloatArray:
    """Return a detector's scores as (n,) float64; an array (n, 1) is taken as such.

    Raises
    ------
    InputError
        If they are not one finite number for each of `n_rows` rows; it says that they are of `who`.
    """
    scores = np.ascontiguousarray(aligned(values, f"the scores of {who}"), dtype=np.float64)
    if scores.shape not in {(n_rows,), (n_rows, 1)}:
        raise InputError(f"the scores of {who} have shape {scores.shape}, expected ({n_rows},)")
    scores = scores.reshape(n_rows)
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise InputError(
            f"{len(bad)} score(s) of {who} are NaN or infinite; first: row {bad[0]}; expected finite numbers"
        )
    return scores


def check_columns(found: int, expected: int) -> None:
    """Raise `InputError` unless a matrix has as many columns as the one that was fitted."""
    if found != expected:
        raise InputError(f"X has {found} column(s), expected {expected} as at fit")
