"""Mean distance to the nearest training rows, copies of a row counted once; made to be iterated."""

from typing import ClassVar

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError, find

from .gaussian import Gaussian
from .nearest_rows import NearestRows


class Neighbours(NearestRows):
    """Detector by the mean distance to the `n_neighbors` nearest distinct training rows.

    Copies of a training row count once, so that data drawn with replacement are not scored by how many copies
    a row has. A training row is its own neighbour when it is scored, among `n_neighbors`; so the score is a
    continuous function of the row. Where there are fewer distinct rows than neighbours asked for, all are
    taken. Nothing is random.

    Parameters
    ----------
    n_neighbors
        Number of neighbours, at least 1.
    metric
        "euclidean": rows are taken as they are, so standardise them per feature first. "mahalanobis": in
        units of the training rows' shrunk covariance, that of `Gaussian`.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].

    Attributes
    ----------
    transform_ : (d, d) float64
        The metric: Euclidean distances of rows times this matrix.
    rows_ : (m, d) float64
        The distinct training rows, times this matrix.
    neighbours_ : NearestNeighbors
        Their index.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are at least 0.

    Notes
    -----
    Source: Angiulli & Pizzuti 2002, "Fast outlier detection in high dimensional spaces".
    """

    version: ClassVar[int] = 1
    transform_: FloatArray

    def __init__(self, n_neighbors: int = 40, metric: str = "euclidean", contamination: float = 0.1) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.contamination = contamination

    def _learn(self, rows: FloatArray) -> None:
        at_least(1, n_neighbors=self.n_neighbors)
        self.transform_ = find("metric", self.metric, METRICS)(rows)
        self._keep(self._transformed(np.unique(rows, axis=0)))

    def _scores(self, rows: FloatArray) -> FloatArray:
        if not len(rows):
            return np.empty(0)
        distances, _ = self.neighbours_.kneighbors(self._transformed(rows))
        scores: FloatArray = distances.mean(axis=1)
        return scores

    def _transformed(self, rows: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):
            transformed: FloatArray = rows @ self.transform_
        if not np.isfinite(transformed).all():
            raise InputError("the distances of X are not finite: its values are too large")
        return transformed


def _euclidean(rows: FloatArray) -> FloatArray:
    return np.eye(rows.shape[1])


def _mahalanobis(rows: FloatArray) -> FloatArray:
    """Return a square root of the precision."""
    gaussian = Gaussian()
    gaussian._learn(rows)  # noqa: SLF001  # a `fit` would check, score and warn as well
    variances, axes = np.linalg.eigh(gaussian.precision_)
    root: FloatArray = axes * np.sqrt(np.maximum(variances, 0.0))
    return root


METRICS = {"euclidean": _euclidean, "mahalanobis": _mahalanobis}
