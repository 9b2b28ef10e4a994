"""Explainers in closed form that look at one feature at a time, and at no detector."""

from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.evaluation.components.protocols import Detector

from .spread import moments, robust_moments


class ZScore:
    r"""Explainer by the distance from the background's mean: :math:`|x_i - \mu_i| / \sigma_i`.

    It ignores the detector. Where it beats explainers that do not, a data set's margins give the answer away.

    Notes
    -----
    A column that is constant in the background has no spread. The rounding of its value c takes the place:
    :math:`\sigma_i = \mathrm{ulp}(\max(|c|, 1))`. So the constant itself gets 0, and any other value
    a higher attribution than a value of a varying column could deserve.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Take middle and spread of each column of the background."""
        self._centre, self._spread = self._moments(matrix(background, "background", min_rows=1))
        return self

    def _moments(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return moments(rows)

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute z-scores (n, d) of rows (n, d)."""
        rows = matrix(X, n_columns=len(self._centre))
        scores: FloatArray = np.abs(rows - self._centre) / self._spread
        return scores


class RobustZ(ZScore):
    r"""Explainer by the distance from the background's median.

    .. math:: |x_i - \mathrm{median}_i| / (1.4826\,\mathrm{MAD}_i)

    As `ZScore`, but anomalies in the background move neither middle nor spread.

    Notes
    -----
    Source: Iglewicz & Hoaglin 1993, "How to detect and handle outliers". Where more than half of a column's
    values are equal, 1.2533 times the mean absolute deviation takes the place of 1.4826 MAD, as there; where
    that is 0 too, the rounding, as in `ZScore`.
    """

    def _moments(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return robust_moments(rows)
