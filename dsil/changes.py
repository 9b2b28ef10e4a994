"""Scores of rows that differ from one row in a single value each: what perturbing explainers ask for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.errors import InputError

Score = Callable[[FloatArray], FloatArray]
CELLS_AT_ONCE = 2**18  # values in one call of the detector: 2 MB; smaller or larger is no faster


def score_function(detector: Any) -> Score:
    """Return the scores (n,) of rows (n, d) as a function, by `score_tensor` where there is one.

    Raises
    ------
    InputError
        If the detector has neither `score_tensor` nor `decision_function`.
    """
    if hasattr(detector, "score_tensor"):
        return lambda rows: _score_by_tensor(detector, rows)
    if hasattr(detector, "decision_function"):
        return lambda rows: np.asarray(detector.decision_function(rows), dtype=np.float64)
    raise InputError(f"{type(detector).__name__} has neither score_tensor nor decision_function")


def _score_by_tensor(detector: Any, rows: FloatArray) -> FloatArray:
    with torch.no_grad():
        scores: FloatArray = detector.score_tensor(torch.from_numpy(rows)).double().numpy()
    return scores


def score_changes(
    score: Score, row: FloatArray, features: IntArray, values: FloatArray
) -> tuple[float, FloatArray]:
    """Return the score of a row, and by how much it moves with one feature at a time at another value.

    Parameters
    ----------
    score
        As `score_function` returns it.
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
    size = max(1, CELLS_AT_ONCE // (len(row) * k))
    own, moves = 0.0, np.empty((m, k))
    for start in range(0, max(m, 1), size):
        part = slice(start, start + size)
        own, moves[part] = _changes(score, row, features[part], values[part])
    return own, moves


def _changes(
    score: Score, row: FloatArray, features: IntArray, values: FloatArray
) -> tuple[float, FloatArray]:
    candidates = np.tile(row, (1 + values.size, 1))  # the row itself goes along, in the first place
    blocks = candidates[1:].reshape(*values.shape, len(row))
    blocks[np.arange(len(features)), :, features] = values
    scores = score(candidates)
    if scores.shape != (len(candidates),) or not np.isfinite(scores).all():
        raise InputError("the detector's scores are not one finite number a row, so no feature can be blamed")
    return float(scores[0]), (scores[1:] - scores[0]).reshape(values.shape)
