"""Conditional surprise: how far a value lies from what the row's other values predict."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self
from zlib import crc32

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.datasets.scale import Scale
from xadbench.evaluation.components.protocols import Detector

from .base import row_by_row

PENALTIES = np.logspace(-4, 1, 6)  # of ridge, as a share of a standardised feature's variance


class _Surprise(ABC):
    """Scores a feature by its absolute residual, in robust standard deviations of such residuals.

    A row's fold follows from its values, and it is evaluated by models of the other folds: a row of the
    background is never evaluated by a model that has seen it, nor its duplicates. A column that is constant
    in the background takes no part: its value gets 0, and any other value 1e150.
    """

    requires: frozenset[str] = frozenset()
    version = 2

    def __init__(self, n_folds: int = 5) -> None:
        at_least(2, n_folds=n_folds)
        self.n_folds = n_folds

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Regress each column of the background on the others, fold by fold."""
        rows = matrix(background, "background", min_rows=1)
        self._scale = Scale.of(rows)
        z, fold = self._scale.forward(rows)[:, ~self._scale.constant], self._folds(rows)
        self._learn([z[_others(fold, k)] for k in range(self.n_folds)], z, fold)
        self._residual_scale = Scale.of(self._residuals(z, fold), robust=True)
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute standardised residuals (n, d) of rows (n, d)."""
        rows = matrix(X, n_columns=len(self._scale.spread))
        surprise, varying = self._scale.departures(rows), ~self._scale.constant
        residuals = self._residuals(surprise[:, varying], self._folds(rows))
        surprise[:, varying] = self._residual_scale.departures(residuals)
        return np.abs(surprise)

    def _folds(self, rows: FloatArray) -> IntArray:
        """Return the fold (n,) of rows (n, d)."""
        names = [crc32((row + 0.0).astype("<f8").tobytes()) for row in rows]  # + 0.0: -0.0 equals 0.0
        return np.array(names, dtype=np.int64) % self.n_folds

    def _residuals(self, z: FloatArray, fold: IntArray) -> FloatArray:
        """Return what the models of the other folds leave of standardised rows (n, d)."""
        result = np.empty_like(z)
        for k in range(self.n_folds):
            result[fold == k] = self._residuals_of(k, z[fold == k])
        return result

    @abstractmethod
    def _learn(self, parts: list[FloatArray], z: FloatArray, fold: IntArray) -> None:
        """Learn from the rows outside each fold, and from all rows (n, d) with their folds (n,)."""

    @abstractmethod
    def _residuals_of(self, k: int, z: FloatArray) -> FloatArray:
        """Return what the model of the rows outside fold `k` leaves of standardised rows (m, d)."""


def _others(fold: IntArray, k: int) -> BoolArray:
    """Return which rows lie outside a fold, (n,) bool; all of them, if none does."""
    others: BoolArray = fold != k
    return others if others.any() else ~others


class SurpriseRidge(_Surprise):
    r"""Explainer by conditional surprise: ridge regression of each feature on the others.

    The attribution is :math:`|r_i - \mathrm{median}_i| / s_i`, with r the residual of the standardised
    value and s the robust spread (`Scale`) of the background's residuals, all of them out of fold. The
    detector is ignored.

    Parameters
    ----------
    n_folds
        Number of folds, at least 2.

    Notes
    -----
    All regressions come from one inverse: with :math:`P = (Z^\top Z / n + \lambda I)^{-1}`, the residual of
    feature i given the others is :math:`[zP]_i / P_{ii}`. Each feature has its own penalty, the one of
    0.0001 ... 10 with the smallest mean absolute residual out of fold.
    """

    def _learn(self, parts: list[FloatArray], z: FloatArray, fold: IntArray) -> None:
        spectra = [np.linalg.eigh(part.T @ part / len(part)) for part in parts]
        best = np.full(z.shape[1], np.inf)
        self._weights = [np.empty((z.shape[1], z.shape[1])) for _ in parts]  # residuals: weights @ row
        for penalty in PENALTIES:
            weights = [_ridge(values, vectors, penalty) for values, vectors in spectra]
            error = sum(np.abs(z[fold == k] @ weights[k]).sum(axis=0) for k in range(self.n_folds))
            better = error < best
            best = np.where(better, error, best)
            for kept, new in zip(self._weights, weights, strict=True):
                kept[better] = new.T[better]

    def _residuals_of(self, k: int, z: FloatArray) -> FloatArray:
        return row_by_row(lambda row: self._weights[k] @ row, z)


def _ridge(values: FloatArray, vectors: FloatArray, penalty: float) -> FloatArray:
    """Return the matrix (d, d) that takes a row to its residuals, from the second moments' spectrum."""
    precision = (vectors / (np.maximum(values, 0.0) + penalty)) @ vectors.T
    result: FloatArray = precision / np.diag(precision)
    return result


class SurpriseBoosting(_Surprise):
    """Explainer by conditional surprise: gradient boosting of each feature on the others.

    As `SurpriseRidge`, with scikit-learn's `HistGradientBoostingRegressor`: it sees dependence of any shape.
    It costs n_folds d fits: about half a second each with 5,000 rows and 30 predictors.

    Parameters
    ----------
    n_folds
        Number of folds, at least 2.
    max_iter
        Trees of each regression, at least 1.
    max_predictors
        Features that a feature is predicted from, at least 1: those most correlated with it. Without the
        limit, 1,000 features take a day.
    random_state
        Seed of the rows that the bins are made from, where there are more than 200,000; at least 0.
    """

    def __init__(
        self, n_folds: int = 3, max_iter: int = 100, max_predictors: int = 30, random_state: int = 0
    ) -> None:
        super().__init__(n_folds)
        at_least(1, max_iter=max_iter, max_predictors=max_predictors)
        self.max_iter = max_iter
        self.max_predictors = max_predictors
        self.random_state = random_state

    def _learn(self, parts: list[FloatArray], z: FloatArray, fold: IntArray) -> None:  # noqa: ARG002  # of the other
        self._models = [[self._regression(part, i) for i in range(z.shape[1])] for part in parts]

    def _regression(self, rows: FloatArray, feature: int) -> Callable[[FloatArray], FloatArray]:
        from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  # takes a second to import

        seed = int(stream(self.random_state, "surprise_boosting").integers(2**32))
        model = HistGradientBoostingRegressor(max_iter=self.max_iter, early_stopping=False, random_state=seed)
        predictors = _most_correlated(rows, feature)[: self.max_predictors]
        model.fit(_predictors(rows, predictors, feature), rows[:, feature])
        return lambda z: model.predict(_predictors(z, predictors, feature))

    def _residuals_of(self, k: int, z: FloatArray) -> FloatArray:
        if not z.size:
            return z
        return z - np.stack([predict(z) for predict in self._models[k]], axis=1)


def _most_correlated(rows: FloatArray, feature: int) -> IntArray:
    """Return the features in falling order of their correlation with one of them, that one last, (d,)."""
    strength = np.abs(rows[:, feature] @ rows)
    strength[feature] = -1.0
    return np.argsort(-strength, kind="stable")


def _predictors(rows: FloatArray, predictors: IntArray, feature: int) -> FloatArray:
    """Return the columns `predictors`, 0 where that is the feature itself: it tells a tree nothing."""
    columns = rows[:, predictors]
    columns[:, predictors == feature] = 0.0
    return columns
