"""Scores of changed rows, in few large calls."""

from collections.abc import Callable, Iterator

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError

Score = Callable[[FloatArray], FloatArray]  # (n, d) to (n,), higher = more anomalous
Changed = Callable[[slice, slice], FloatArray]

CELLS_AT_ONCE = 2**18  # values in one call of the score: 2 MB
SCORE_ROUNDING = 1e-6  # scores that differ by less, as a share, may do so by a float32 network's rounding


def before_and_after(
    score: Score, X: FloatArray, changed: Changed, n_draws: int
) -> tuple[FloatArray, FloatArray]:
    """Return f(x) (n,), and f(x') (n, n_draws) for `n_draws` changed forms x' of each row; NaN if not finite.

    Parameters
    ----------
    score
        The score f; called once for each chunk of rows, or for each part of a row's draws where these alone
        fill a chunk. Memory stays bounded, whatever n and d.
    X : (n, d) float64
        The rows x.
    changed
        Function of a slice of rows (r) and a slice of draws (s): the changed rows (r, s, d).
    n_draws
        How many forms a row has.

    Raises
    ------
    InputError
        If `score` does not return one value for each row.
    """
    n_rows, n_features = X.shape
    after = np.empty((n_rows, n_draws))
    for rows in _slices(n_rows, CELLS_AT_ONCE // (n_draws * n_features)):
        for draws in _slices(n_draws, CELLS_AT_ONCE // n_features):
            forms = changed(rows, draws)
            after[rows, draws] = scored(score, forms.reshape(-1, n_features)).reshape(forms.shape[:2])
    return in_chunks(score, X), after


def in_chunks(score: Score, X: FloatArray) -> FloatArray:
    """Return the scores (n,) of rows (n, d), a chunk a call."""
    return np.concatenate(
        [np.empty(0), *(scored(score, X[rows]) for rows in _slices(len(X), CELLS_AT_ONCE // X.shape[1]))]
    )


def scored(score: Score, X: FloatArray) -> FloatArray:
    """Return the scores (n,) of rows (n, d); NaN where not finite, which leaves a metric undefined."""
    values = np.asarray(score(X), dtype=np.float64)
    if values.shape != (len(X),):
        raise InputError(f"score returned shape {values.shape} for {len(X)} rows, expected ({len(X)},)")
    return np.where(np.isfinite(values), values, np.nan)


def _slices(length: int, step: int) -> Iterator[slice]:
    step = max(step, 1)
    return (slice(start, start + step) for start in range(0, length, step))
