"""Our own explainer: blame the features that must change, and in this order, to make a row normal."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.checks import at_least, matrix
from xadbench.datasets.errors import InputError

from .changes import ChangeScores, change_scores, moves_of_changes
from .estimator import Estimator

FIRST_OF_PAIR = 8  # features tried as the first of a pair, the most distant from the background's middle
ROUNDING = 1e-6  # a smaller drop, as a share of the range of the background's scores, is none


class Repair(Estimator):
    r"""Explainer by sequential counterfactual repair.

    Each feature of a row is tried at quantiles of the background, the others held. The one that lowers the
    score most is repaired: it stays at its best value. This repeats on the repaired row, until the score is
    normal. What would have looked guilty only beside a broken value is thus judged beside a repaired one.

    The first pass tries all values of a feature; the later ones its best so far and one of the others in
    turn: 8 d + 2 d (steps) calls of the detector for one row at most. Where no single feature lowers a score
    that is not normal, as where it is saturated, pairs at their medians are tried.

    Parameters
    ----------
    n_values
        Quantiles of the background that a feature is tried at, at least 2.
    stop
        Quantile of the background's scores at which a row counts as normal, in [0, 1).
    max_steps
        Most repairs of a row, at least 1.

    Attributes
    ----------
    detector_
        The detector explained.
    values_ : (d, n_values) float64
        What the features are tried at.
    scale_ : (d,) float64
        Their standard deviations in the background, 1 where they are constant.
    threshold_ : float
        The score that counts as normal.
    resolution_ : float
        The smallest drop that counts.

    Notes
    -----
    Ours. The blame of a repaired feature is by how much its repair and all later ones lower the score: it
    falls with the order, and the first has the whole. A feature that was not repaired has what it would have
    lowered the score when it was last tried, scaled below all repaired ones; it may be negative.

    `stop` is the median. At the 95 % quantile the repair ends too early: the last culprits of a row with many
    are not reached, and the features that were never repaired are judged beside broken ones.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    version: ClassVar[int] = 1
    detector_: Any
    values_: FloatArray
    scale_: FloatArray
    threshold_: float
    resolution_: float

    def __init__(self, n_values: int = 8, *, stop: float = 0.5, max_steps: int = 10) -> None:
        self.n_values = n_values
        self.stop = stop
        self.max_steps = max_steps

    def fit(self, detector: Any, background: ArrayLike) -> Self:
        """Take a fitted detector; score the background (n, d) and take the quantiles of its columns.

        Raises
        ------
        InputError
            For a setting out of range, a bad background, or a detector with neither `score_tensor` nor
            `decision_function`.
        """
        at_least(2, n_values=self.n_values)
        at_least(1, max_steps=self.max_steps)
        if not 0 <= self.stop < 1:
            raise InputError(f"stop is {self.stop!r}, expected a quantile in [0, 1)")
        rows = matrix(background, "background", min_rows=1)
        change_scores(detector)
        scores = np.asarray(detector.decision_function(rows), dtype=np.float64)
        self.n_features_in_ = rows.shape[1]
        self.detector_ = detector
        self.values_ = np.quantile(rows, (np.arange(self.n_values) + 0.5) / self.n_values, axis=0).T
        self.scale_ = np.where(np.ptp(rows, axis=0) > 0, rows.std(axis=0), 1.0)
        self.threshold_ = float(np.quantile(scores, self.stop))
        self.resolution_ = ROUNDING * float(np.ptp(scores))
        return self

    def explain(self, X: ArrayLike) -> FloatArray:
        """Return the blame (n, d) for rows (n, d), in units of the score; higher = more to blame.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite or has another number of columns than the background, or if the detector's
            scores are not finite.
        """
        rows = self._fitted_rows(X)
        scores = change_scores(self.detector_)
        blame = np.empty_like(rows)
        for blamed, row in zip(blame, rows, strict=True):
            blamed[:] = _Course(self, scores, row).run()
        return blame


class _Course:
    """The repair of one row: what it has become, and what each feature could still do for it."""

    def __init__(self, explainer: Repair, scores: ChangeScores, row: FloatArray) -> None:
        self.explainer = explainer
        self.scores = scores
        self.row = row.copy()
        self.open = np.arange(len(row))  # the features not repaired yet
        self.best = np.zeros(len(row), dtype=int)  # which of a feature's values lowers the score most
        self.drops = np.zeros(len(row))  # by how much it did when last tried
        self.steps: list[tuple[float, IntArray]] = []  # the score before each repair, and what was repaired
        self._try(np.tile(np.arange(explainer.n_values), (len(row), 1)))

    def run(self) -> FloatArray:
        """Repair the row, and return the blame (d,)."""
        while self._is_anomalous() and len(features := self._next()):
            self.steps.append((self.score, features))
            self.row[features] = self.explainer.values_[features, self.best[features]]
            self.open = np.setdiff1d(self.open, features)
            best = self.best[self.open]
            other = 1 + (len(self.steps) - 1) % (self.explainer.n_values - 1)
            self._try(np.stack([best, (best + other) % self.explainer.n_values], axis=1))
        return self._blame()

    def _is_anomalous(self) -> bool:
        return self.score > self.explainer.threshold_ and len(self.steps) < self.explainer.max_steps

    def _try(self, columns: IntArray) -> None:
        """Try each open feature at its values in `columns` (open, k)."""
        values = self.explainer.values_[self.open[:, None], columns]
        self.score, moves = moves_of_changes(self.scores, self.row, self.open, values)
        lowest = moves.argmin(axis=1)[:, None]
        self.best[self.open] = np.take_along_axis(columns, lowest, axis=1)[:, 0]
        self.drops[self.open] = -np.take_along_axis(moves, lowest, axis=1)[:, 0]

    def _next(self) -> IntArray:
        """Return the feature, or the pair, whose repair lowers the score most; none if nothing does."""
        if not len(self.open):
            return self.open
        first = self.open[self.drops[self.open].argmax()]
        return np.array([first]) if self.drops[first] > self.explainer.resolution_ else self._pair()

    def _pair(self) -> IntArray:
        """Return the pair whose middle values lower the score most, and note these as their best."""
        middle = self.explainer.n_values // 2
        values = self.explainer.values_[:, middle]
        largest, pair = self.explainer.resolution_, self.open[:0]
        distances = np.abs(self.row - values)[self.open] / self.explainer.scale_[self.open]
        for first in self.open[np.argsort(-distances, kind="stable")[:FIRST_OF_PAIR]]:
            row = self.row.copy()
            row[first] = values[first]
            score, moves = moves_of_changes(self.scores, row, self.open, values[self.open, None])
            second = moves[:, 0].argmin()
            if (drop := self.score - score - moves[second, 0]) > largest:
                largest, pair = drop, np.array([first, self.open[second]])
        self.best[pair] = middle
        return np.unique(pair)

    def _blame(self) -> FloatArray:
        blame = self.drops.copy()
        if not self.steps:
            return blame
        for before, features in self.steps:
            blame[features] = before - self.score
        last = self.steps[-1][0] - self.score
        rest = blame[self.open]
        if len(rest) and rest.max() >= last:
            blame[self.open] = rest * (last / (2 * rest.max()))
        return blame
