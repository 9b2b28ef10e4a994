"""Scores of rows that differ from one row in a single value each: what perturbing explainers ask for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.errors import InputError

# Scores (1 + m k,) of a row (d,), and of it with one of the features (m,) at a time at its values (m, k).
ChangeScores = Callable[[FloatArray, IntArray, FloatArray], FloatArray]
CHANGES_AT_ONCE = 1023  # with the row itself 1024 in a call: an MLP's activations stay in the cache


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
        return lambda *change: _score_by_tensor(detector, _changed(*change))
    if hasattr(detector, "decision_function"):
        return lambda *change: np.asarray(detector.decision_function(_changed(*change)), dtype=np.float64)
    raise InputError(f"{type(detector).__name__} has neither score_tensor nor decision_function")


def _score_by_tensor(detector: Any, rows: FloatArray) -> FloatArray:
    with torch.no_grad():
        scores: FloatArray = detector.score_tensor(torch.from_numpy(rows)).double().numpy()
    return scores


def _changed(row: FloatArray, features: IntArray, values: FloatArray) -> FloatArray:
    rows = np.tile(row, (1 + values.size, 1))  # the row itself goes along, in the first place
    rows[1:].reshape(*values.shape, len(row))[np.arange(len(features)), :, features] = values
    return rows


def moves_of_changes(
    scores: ChangeScores, row: FloatArray, features: IntArray, values: FloatArray
) -> tuple[float, FloatArray]:
    """Return the score of a row, and by how much it moves with one feature at a time at another value.

    Parameters
    ----------
    scores
        As `change_scores` returns them.
    row : (d,) float64
    features : (m,) int
        The features to change.
    values : (m, k) float64
        The values that each of them takes in turn.

    Returns
    -------
    float, (m, k) float64
        f(x), and f(x with x_i = v) - f(x), where both come from one call. The calls' shapes depend on d, m
        and k alone, so the result does not depend on what else is scored.

    Raises
    ------
    InputError
        If the scores are not one finite number a row.
    """
    m, k = values.shape
    size = max(1, CHANGES_AT_ONCE // k)
    own, moves = 0.0, np.empty((m, k))
    for start in range(0, max(m, 1), size):
        part = slice(start, start + size)
        own, moves[part] = _moves(scores, row, features[part], values[part])
    return own, moves


def _moves(
    scores: ChangeScores, row: FloatArray, features: IntArray, values: FloatArray
) -> tuple[float, FloatArray]:
    told = scores(row, features, values)
    if told.shape != (1 + values.size,) or not np.isfinite(told).all():
        raise InputError("the detector's scores are not one finite number a row, so no feature can be blamed")
    return float(told[0]), (told[1:] - told[0]).reshape(values.shape)
