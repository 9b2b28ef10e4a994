"""Our own explainer: rank the features that must change, and in this order, to make a row normal."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.scale import Scale
from xadbench.dsil.detectors.base import Estimator
from xadbench.dsil.networks.feature_changes import change_scores, moves_of_changes

FIRST_OF_PAIR = 8  # features tried as the first of a pair, the most distant from the background's middle
ROUNDING = 1e-6  # a smaller drop, as a share of the range of the background's scores, is none


class Repair(Estimator):
    r"""Explainer by sequential counterfactual repair.

    Each feature of a row is tried at quantiles of the background, the others held. The one that lowers the
    score most is repaired: it stays at its best value. This repeats on the repaired row, until the score is
    normal. What would have looked guilty only beside a broken value is thus evaluated beside a repaired one.

    The first pass tries all values of a feature; the later ones its best so far and one of the others in
    turn: at most (n_values + 2 max_steps) d rows for the detector to score. Where no single feature lowers a
    score that is not normal, as where it is saturated, pairs are tried at a middle value: 8 d rows more.

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
    Ours. The attribution of a repaired feature is by how much its repair and all later ones lower the
    score: it falls with the order, and the first has the whole. A feature that was not repaired has what it
    would have lowered the score when it was last tried, scaled below all repaired ones; it may be negative.

    `stop` is the median. At the 95 % quantile the repair ends too early: the last ground-truth features of
    a row with many are not reached, and the features that were never repaired are evaluated beside broken
    ones.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    version: ClassVar[int] = 3
    detector_: Any
    values_: FloatArray
    scale_: FloatArray
    threshold_: float
    resolution_: float

    def __init__(self, n_values: int = 6, *, stop: float = 0.5, max_steps: int = 8) -> None:
        self.n_values = n_values
        self.stop = stop
        self.max_steps = max_steps

    @one_thread()
    def fit(self, detector: Any, background: ArrayLike) -> Self:
        """Take a fitted detector; score the background (n, d) and take the quantiles of its columns.

        Raises
        ------
        InputError
            For a setting out of range, a bad background, or a detector without `decision_function`.
        """
        at_least(2, n_values=self.n_values)
        at_least(1, max_steps=self.max_steps)
        if not isinstance(self.stop, float | int) or not 0 <= self.stop < 1:
            raise InputError(f"stop is {self.stop!r}, expected a quantile in [0, 1)")
        rows = matrix(background, "background", min_rows=1)
        if not hasattr(detector, "decision_function"):
            raise InputError(f"{type(detector).__name__} has no decision_function")
        scores = np.asarray(detector.decision_function(rows), dtype=np.float64)
        self.n_features_in_ = rows.shape[1]
        self.detector_ = detector
        self.values_ = np.quantile(rows, (np.arange(self.n_values) + 0.5) / self.n_values, axis=0).T
        self.scale_ = Scale.of(rows).deviation
        self.threshold_ = float(np.quantile(scores, self.stop))
        self.resolution_ = ROUNDING * float(np.ptp(scores))
        return self

    @one_thread()
    def explain(self, X: ArrayLike) -> FloatArray:
        """Return the attributions (n, d) for rows (n, d), in units of the score; higher = more responsible.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite or has another number of columns than the background, or if the detector's
            scores are not finite.
        """
        return _Repairs(self, self._fitted_rows(X)).run()


class _Repairs:
    """Rows under repair: what they have become, and what each feature could still do for them.

    All rows make a step together, so that the detector is called for many at once.
    """

    def __init__(self, explainer: Repair, rows: FloatArray) -> None:
        self.explainer = explainer
        self.scores = change_scores(explainer.detector_)
        self.rows = rows.copy()
        self.score = np.empty(len(rows))
        self.open = np.ones(rows.shape, dtype=bool)  # the features not repaired yet
        self.before = np.zeros(rows.shape)  # the score before a feature was repaired
        self.best = np.zeros(rows.shape, dtype=int)  # which of a feature's values lowers the score most
        self.drops = np.zeros(rows.shape)  # by how much it did when last tried
        self._try(np.arange(len(rows)), np.arange(explainer.n_values))

    def run(self) -> FloatArray:
        """Repair the rows, and return the attributions (n, d)."""
        active = np.arange(len(self.rows))
        for step in range(self.explainer.max_steps):
            active = active[self.score[active] > self.explainer.threshold_]
            active = active[[self._repair(int(i)) for i in active]]
            self._try(active, np.array([0, 1 + step % (self.explainer.n_values - 1)]))
        return self._attributions()

    def _try(self, active: IntArray, offsets: IntArray) -> None:
        """Try the open features of rows at their best values so far, and at those `offsets` (k,) further."""
        n_open = self.open[active].sum(axis=1)
        for m in np.unique(n_open):
            here = active[n_open == m]
            features = np.nonzero(self.open[here])[1].reshape(len(here), m)
            cells = here[:, None], features
            columns = (self.best[cells][:, :, None] + offsets) % self.explainer.n_values
            values = self.explainer.values_[features[:, :, None], columns]
            self.score[here], moves = moves_of_changes(self.scores, self.rows[here], features, values)
            lowest = moves.argmin(axis=2)[:, :, None]
            self.best[cells] = np.take_along_axis(columns, lowest, axis=2)[:, :, 0]
            self.drops[cells] = -np.take_along_axis(moves, lowest, axis=2)[:, :, 0]

    def _repair(self, i: int) -> bool:
        """Repair the feature, or the pair, of row i that lowers the score most; False if nothing does."""
        features = self._chosen(i)
        self.before[i, features] = self.score[i]
        self.rows[i, features] = self.explainer.values_[features, self.best[i, features]]
        self.open[i, features] = False
        return bool(len(features))

    def _chosen(self, i: int) -> IntArray:
        still = np.flatnonzero(self.open[i])
        if not len(still):
            return still
        first = still[self.drops[i, still].argmax()]
        return (
            np.array([first]) if self.drops[i, first] > self.explainer.resolution_ else self._pair(i, still)
        )

    def _pair(self, i: int, still: IntArray) -> IntArray:
        """Return the pair whose middle values lower the score most, and note these as their best."""
        middle = self.explainer.n_values // 2
        values = self.explainer.values_[:, middle]
        distances = np.abs(self.rows[i] - values)[still] / self.explainer.scale_[still]
        firsts = still[np.argsort(-distances, kind="stable")[:FIRST_OF_PAIR]]
        rows = np.tile(self.rows[i], (len(firsts), 1))
        rows[np.arange(len(firsts)), firsts] = values[firsts]
        seconds = np.tile(still, (len(firsts), 1))
        scores, moves = moves_of_changes(self.scores, rows, seconds, values[seconds][:, :, None])
        drops = self.score[i] - scores[:, None] - moves[:, :, 0]
        first, second = np.unravel_index(drops.argmax(), drops.shape)
        if drops[first, second] <= self.explainer.resolution_:
            return still[:0]
        pair = np.unique([firsts[first], still[second]])
        self.best[i, pair] = middle
        return pair

    def _attributions(self) -> FloatArray:
        attributions = np.where(self.open, self.drops, self.before - self.score[:, None])
        last = np.where(self.open, np.inf, attributions).min(axis=1, keepdims=True)
        top = np.where(self.open, attributions, -np.inf).max(axis=1, keepdims=True)
        factor = np.divide(last, 2 * top, out=np.ones_like(top), where=(top >= last) & np.isfinite(top))
        return np.where(self.open, attributions * factor, attributions)
