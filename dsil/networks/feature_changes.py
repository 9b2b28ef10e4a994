"""Scores of rows that differ from given ones in a single value each: what perturbing explainers ask for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError

# Scores (r, 1 + m k) of rows (r, d), and of each with one of its features (r, m) at values (r, m, k) in turn.
ChangeScores = Callable[[FloatArray, IntArray, FloatArray], FloatArray]
SCORED_AT_ONCE = 1024  # rows in one call of the detector: an MLP's activations stay in the processor's cache
LEAST_AT_ONCE = 128  # where the changes of a row are fewer, several rows go together


def change_scores(detector: Any) -> ChangeScores:
    """Return a detector's scores of changes: by `score_changes`, `score_tensor` or `decision_function`.

    Raises
    ------
    InputError
        If the detector has none of them.
    """
    if hasattr(detector, "score_changes"):
        scores: ChangeScores = detector.score_changes
        return scores
    if hasattr(detector, "score_tensor"):
        return lambda *changes: _scored(lambda rows: _by_tensor(detector, rows), *changes)
    if hasattr(detector, "decision_function"):
        return lambda *changes: _scored(detector.decision_function, *changes)
    raise InputError(f"{type(detector).__name__} has neither score_tensor nor decision_function")


def _by_tensor(detector: Any, rows: FloatArray) -> FloatArray:
    with torch.no_grad():
        scores: FloatArray = detector.score_tensor(torch.from_numpy(rows)).double().numpy()
    return scores


def _scored(
    score: Callable[[FloatArray], FloatArray], rows: FloatArray, features: IntArray, values: FloatArray
) -> FloatArray:
    (r, m, k), d = values.shape, rows.shape[1]
    changed = np.tile(rows[:, None], (1, 1 + m * k, 1))  # each row itself goes along, in the first place
    cells = changed[:, 1:].reshape(r, m, k, d)
    np.put_along_axis(cells, features[:, :, None, None], values[..., None], axis=3)
    changed[:, 1:] = cells.reshape(r, m * k, d)
    scores = np.asarray(score(changed.reshape(-1, d)), dtype=np.float64)
    return scores.reshape(r, -1) if scores.shape == (r * (1 + m * k),) else scores


def moves_of_changes(
    scores: ChangeScores, rows: FloatArray, features: IntArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the scores of rows, and by how much they move with one feature at a time at another value.

    Parameters
    ----------
    scores
        As `change_scores` returns them.
    rows : (n, d) float64
    features : (n, m) int
        The features of each row to change.
    values : (n, m, k) float64
        The values that each of them takes in turn.

    Returns
    -------
    (n,), (n, m, k) float64
        f(x), and f(x with x_i = v) - f(x), where both come from one call. The calls' shapes depend on d, m
        and k alone: a last block of rows is filled up. So the result of a row does not depend on the others.

    Raises
    ------
    InputError
        If the scores are not one finite number a row.
    """
    n, m, k = values.shape
    own, moves = np.empty(n), np.empty((n, m, k))
    n_features = max(1, (SCORED_AT_ONCE - 1) // k)
    n_rows = max(1, LEAST_AT_ONCE // (1 + m * k))
    for start in range(0, n, n_rows):
        block = np.arange(start, start + n_rows)
        filled = np.minimum(block, n - 1)
        n_here = np.count_nonzero(block < n)
        for first in range(0, max(m, 1), n_features):
            part = np.s_[start : start + n_rows, first : first + n_features]
            taken = features[filled][:, part[1]], values[filled][:, part[1]]
            reported = _checked(scores(rows[filled], *taken), taken[1])
            own[part[0]] = reported[:n_here, 0]
            moves[part] = (reported[:, 1:] - reported[:, :1]).reshape(taken[1].shape)[:n_here]
    return own, moves


def _checked(scores: FloatArray, values: FloatArray) -> FloatArray:
    r, m, k = values.shape
    if scores.shape != (r, 1 + m * k) or not np.isfinite(scores).all():
        raise InputError(
            "the detector's scores are not one finite number a row, so no feature can be explained"
        )
    return scores
