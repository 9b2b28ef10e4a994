"""One Gaussian for all normal rows: a row is as anomalous as it is far from the mean, in its units."""

from typing import ClassVar

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread

from .base import Detector


class Gaussian(Detector):
    r"""Detector by the squared Mahalanobis distance, made to be the base of `DSIL`.

    .. math:: f(x) = (x - \mu)^\top \Sigma^{-1} (x - \mu)

    with the mean of the training rows and their covariance, shrunk towards a multiple of the identity, so
    that it has an inverse even where there are more columns than rows. Iterated by DSIL it is a trimmed
    estimate, like the concentration steps of the minimum covariance determinant. Nothing is random.

    Parameters
    ----------
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].

    Attributes
    ----------
    location_ : (d,) float64
        The mean.
    precision_ : (d, d) float64
        The inverse of the shrunk covariance.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are at least 0.

    Notes
    -----
    Source of the shrinkage: Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional
    covariance matrices".
    """

    version: ClassVar[int] = 1
    location_: FloatArray
    precision_: FloatArray

    def __init__(self, contamination: float = 0.1) -> None:
        self.contamination = contamination

    @one_thread()
    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`."""
        centred = self._fitted_tensor(x).double() - torch.from_numpy(self.location_)
        return (centred @ torch.from_numpy(self.precision_) * centred).sum(dim=1)

    def _learn(self, rows: FloatArray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                fitted = LedoitWolf().fit(rows)
            except ValueError as error:  # of an overflow on the way
                raise InputError(
                    f"the covariance of X is not finite: its values are too large ({error})"
                ) from None
        self.location_, self.precision_ = fitted.location_, fitted.precision_

    def _scores(self, rows: FloatArray) -> FloatArray:
        centred = rows - self.location_
        # Where the covariance is 0, a rounded product may come out just below.
        scores: FloatArray = np.maximum((centred @ self.precision_ * centred).sum(axis=1), 0.0)
        return scores
