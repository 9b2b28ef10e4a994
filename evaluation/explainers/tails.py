"""The per-feature scores of ECOD, COPOD and HBOS, as explainers.

All three evaluate a row within the background and the row itself, and by nothing else.
"""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.scale import DEPARTURE
from xadbench.evaluation.components.protocols import Detector
from xadbench.evaluation.components.tails import Tails


class _ByTails(ABC):
    requires: frozenset[str] = frozenset()
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Sort the background's columns."""
        self._tails = Tails(background)
        return self

    @abstractmethod
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d), at least 0, of rows (n, d)."""


class ECOD(_ByTails):
    r"""Explainer by the tail of each feature's distribution: :math:`-\log \min(F_i(x_i), \bar F_i(x_i))`.

    :math:`F_i(x)` is the share of values up to x, :math:`\bar F_i(x)` of values from x on, among the
    background's and the row's own. It ignores the detector.

    Notes
    -----
    Source: Li et al. 2022, "ECOD", arXiv 2201.00382. There a row's score is the largest of three sums, over
    left tails, right tails, and the tails on the side of each feature's skewness; per feature that is the
    larger of both tails, and so is it in PyOD's scores.
    """

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d), at least 0, of rows (n, d)."""
        return self._tails.ecod(X)


class COPOD(_ByTails):
    r"""Explainer by the tails of an empirical copula: the larger of the skewed tail and the mean of both.

    .. math:: \max\left(u_i, \frac{-\log F_i(x_i) - \log \bar F_i(x_i)}{2}\right)

    with F as of `ECOD`, and u_i the negative logarithm of the tail on the side of the feature's skewness:
    left if it is negative, else right. It ignores the detector. A value far out on the other side gets
    half the attribution only.

    Notes
    -----
    Source: Li et al. 2020, "COPOD", arXiv 2009.09463; its score is the sum over features.
    """

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d), at least 0, of rows (n, d)."""
        return self._tails.copod(X)


class HBOS:
    r"""Explainer by the histogram of each feature: :math:`-\log h_i(x_i)`.

    h is the height of the value's bin, relative to the highest, both with the row itself counted in: so the
    attribution is finite in empty bins, and 0 at most in the highest. It ignores the detector.

    Notes
    -----
    Source: Goldstein & Dengel 2012, "Histogram-based Outlier Score (HBOS)", with bins of equal width, as many
    as the root of the number of rows. PyOD's HBOS takes the logarithm of densities, which depend on a
    feature's unit.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Count the background's values by bin."""
        rows = matrix(background, "background", min_rows=1)
        self._n_bins = int(np.ceil(np.sqrt(len(rows))))
        self._low, high = rows.min(axis=0), rows.max(axis=0)
        width = high / self._n_bins - self._low / self._n_bins
        self._width = np.where(width > 0, width, 1 / DEPARTURE)  # of a constant column: all else lies outside
        self._high = high
        bins = self._bins(rows).T
        # Two more for what lies outside on either side.
        counts = np.stack([np.bincount(column, minlength=self._n_bins + 2) for column in bins], axis=1) + 1
        self._attributions = np.log(np.maximum(counts.max(axis=0) - 1, counts) / counts)
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d), at least 0, of rows (n, d)."""
        rows = matrix(X, n_columns=len(self._low))
        return np.take_along_axis(self._attributions, self._bins(rows), axis=0)

    def _bins(self, rows: FloatArray) -> IntArray:
        """Return each value's bin (n, d), from 1; 0 and `_n_bins` + 1 for what lies outside."""
        position = np.clip(np.floor((rows - self._low) / self._width), -1, self._n_bins).astype(np.int64)
        bins: IntArray = np.where(rows == self._high, np.minimum(position, self._n_bins - 1), position) + 1
        return bins
