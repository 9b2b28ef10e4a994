"""Explainers in closed form that look at one feature at a time, and at no detector."""

from typing import Self

import numpy as np

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import matrix
from xadbench.evaluation.detectors import Detector


class ZScore:
    r"""Explainer by the distance from the background's mean: :math:`|x_i - \mu_i| / \sigma_i`.

    It ignores the detector. Where it beats explainers that do not, a data set's margins give the answer away.

    Notes
    -----
    A column that is constant in the background has no spread. The rounding of its value c takes the place:
    :math:`\sigma_i = \mathrm{ulp}(\max(|c|, 1))`. So the constant itself gets 0, and any other value
    more blame than a value of a varying column could deserve.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Take mean and standard deviation of each column of the background."""
        rows = matrix(background)
        constant = rows.min(axis=0) == rows.max(axis=0)  # a mean may round, and so fake a spread
        self._mean = np.where(constant, rows[0], rows.mean(axis=0))
        self._std = np.where(constant, np.spacing(np.maximum(np.abs(rows[0]), 1.0)), rows.std(axis=0))
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute z-scores (n, d) of rows (n, d)."""
        scores: FloatArray = np.abs(matrix(X, n_columns=len(self._mean)) - self._mean) / self._std
        return scores
