"""Explainers in closed form that look at one feature at a time, and at no detector."""

from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.scale import Scale
from xadbench.evaluation.components.protocols import Detector


class ZScore:
    r"""Explainer by the distance from the background's mean: :math:`|x_i - \mu_i| / \sigma_i`.

    It ignores the detector. Where it beats explainers that do not, a data set's margins give the answer away.

    Notes
    -----
    A column that is constant in the background has no spread. Its value gets 0, and any other value 1e150:
    a higher attribution than a value of a varying column could deserve.
    """

    requires: frozenset[str] = frozenset()
    version = 2
    _robust = False

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Take middle and spread of each column of the background."""
        rows = matrix(background, "background", min_rows=1)
        self._scale = Scale.of(rows, robust=self._robust)
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute z-scores (n, d) of rows (n, d)."""
        scores: FloatArray = np.abs(self._scale.departures(matrix(X, n_columns=len(self._scale.spread))))
        return scores


class RobustZ(ZScore):
    r"""Explainer by the distance from the background's median.

    .. math:: |x_i - \mathrm{median}_i| / (1.4826\,\mathrm{MAD}_i)

    As `ZScore`, but anomalies in the background move neither middle nor spread.

    Notes
    -----
    Source: Iglewicz & Hoaglin 1993, "How to detect and handle outliers". Where more than half of a column's
    values are equal, 1.2533 times the mean absolute deviation takes the place of 1.4826 MAD, as there.
    """

    _robust = True
