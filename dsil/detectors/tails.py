"""How far out in the tails of its features a row lies."""

from typing import ClassVar

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

from .base import Detector


class Tails(Detector):
    r"""Detector by the tails of each feature's distribution, made to be the base of `DSIL`.

    .. math:: f(x) = -\sum_i \log \min(\hat P(X_i \le x_i), \hat P(X_i \ge x_i))

    with the shares of the training rows, (count + 1/2)/(n + 1), so that a value beyond all of them has one
    too. No feature is weighed against another, and a monotone map of a feature changes nothing. Nothing is
    random.

    Parameters
    ----------
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].

    Attributes
    ----------
    values_ : (n, d) float64
        The training values of each feature, ascending.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are in (0, d log(2n + 2)].

    Notes
    -----
    Source: Li et al. 2022, "ECOD: Unsupervised outlier detection using empirical cumulative distribution
    functions", who sum one tail or both, as a feature's skewness says; here it is the smaller tail.
    """

    version: ClassVar[int] = 1
    values_: FloatArray

    def __init__(self, contamination: float = 0.1) -> None:
        self.contamination = contamination

    def _learn(self, rows: FloatArray) -> None:
        self.values_ = np.sort(rows, axis=0)

    def _scores(self, rows: FloatArray) -> FloatArray:
        scores = np.zeros(len(rows))
        for values, column in zip(self.values_.T, rows.T, strict=True):
            below = np.searchsorted(values, column, side="right")
            above = len(values) - np.searchsorted(values, column, side="left")
            scores -= np.log((np.minimum(below, above) + 0.5) / (len(values) + 1))
        return scores
