"""Occlusion by values that are plausible given the rest of the row."""

from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.datasets.scale import DEPARTURE, Scale
from xadbench.evaluation.components.protocols import Detector

from .base import row_by_row

NORMAL_SHARE = 0.95  # of the background: the rows with the lowest scores
MAX_DONORS = 2000  # normal rows among which neighbours are sought
CELLS_AT_ONCE = 2**20  # values in one call of the detector
FAR = 1e4  # standard deviations beyond which a difference counts no more: keeps sums precise


class ConditionalOcclusion:
    r"""Explainer by redrawing one feature at a time, given the others.

    .. math:: f(x) - \frac{1}{k} \sum_{b \in N_i(x)} f(x_1, \ldots, b_i, \ldots, x_d)

    with :math:`N_i(x)` the k normal rows of the background nearest to x in all features but i. Normal are
    the 95 % of the background with the lowest scores. The attribution is signed: a feature whose redrawing
    raises the score comes last.

    Parameters
    ----------
    n_neighbours
        Number k of neighbours, at least 1; all normal rows, if there are fewer.
    random_state
        Seed of the choice of 2,000 normal rows where there are more, at least 0.

    Notes
    -----
    Distances are Euclidean, in the background's standard deviations. A difference of more than 10,000 of them
    counts as 10,000, so one in a column that is constant in the background does not drown the others.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def __init__(self, n_neighbours: int = 10, random_state: int = 0) -> None:
        at_least(1, n_neighbours=n_neighbours)
        self.n_neighbours = n_neighbours
        self.random_state = random_state

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Score the background and keep its normal rows."""
        rows = matrix(background, "background", min_rows=1)
        self._score = detector.decision_function
        scores = np.asarray(self._score(rows))
        normal = rows[scores <= np.quantile(scores, NORMAL_SHARE)]
        rng = stream(self.random_state, "conditional_occlusion", "donors")
        self._donors = normal[rng.permutation(len(normal))[:MAX_DONORS]]
        scale = Scale.of(rows)
        self._std = np.where(scale.constant, 1 / DEPARTURE, scale.deviation)
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the mean drops of the score (n, d) for rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=self._donors.shape[1]))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        donors = np.take_along_axis(self._donors, self._neighbours(row), axis=0).T  # (d, k)
        part = max(1, CELLS_AT_ONCE // (donors.shape[1] * len(row)))
        starts = range(0, len(row), part)
        return np.concatenate([self._drops(row, start, donors[start : start + part]) for start in starts])

    def _neighbours(self, row: FloatArray) -> IntArray:
        """Return for each feature the nearest donors in the others, (k, d)."""
        squares = np.clip((self._donors - row) / self._std, -FAR, FAR) ** 2
        others = squares.sum(axis=1, keepdims=True) - squares
        k = min(self.n_neighbours, len(others))
        return np.argpartition(others, k - 1, axis=0)[:k]

    def _drops(self, row: FloatArray, start: int, values: FloatArray) -> FloatArray:
        """Return the drops (m,) as the features from `start` on take their values (m, k)."""
        # The row itself goes along, in the first place: all scores that are compared come from one call.
        candidates = np.tile(row, (1 + values.size, 1))
        blocks = candidates[1:].reshape(*values.shape, len(row))
        features = np.arange(start, start + len(values))
        blocks[np.arange(len(values)), :, features] = values
        scores = np.asarray(self._score(candidates), dtype=np.float64)
        drops: FloatArray = scores[0] - scores[1:].reshape(values.shape).mean(axis=1)
        return drops
