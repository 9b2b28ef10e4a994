"""The squared Mahalanobis distance, shared out among the features."""

import warnings
from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.datasets.scale import Scale
from xadbench.evaluation.components.protocols import Detector

from .base import row_by_row

ROWS_PER_COLUMN = 5  # that a robust covariance needs
# Where wrapping begins and ends, and the two numbers that follow from that, of its source.
WRAP_FROM, WRAP_TO, WRAP_SIZE, WRAP_SLOPE = 1.5, 4.0, 1.540793, 0.8622731
MAX_COLUMNS = 50  # of a robust covariance: its search starts from subsets of 300 rows, and takes seconds


class Mahalanobis:
    r"""Explainer by the Shapley values of the squared Mahalanobis distance.

    .. math:: (x - \mu)_i\,[\Sigma^{-1}(x - \mu)]_i

    They sum to the squared distance, and can be negative. The detector is ignored.

    Parameters
    ----------
    random_state
        Seed of the search for the robust covariance, at least 0.

    Notes
    -----
    Source of the values: Mayrhofer & Filzmoser 2023, "Multivariate outlier explanations using Shapley values
    and Mahalanobis distances", arXiv 2210.10063: the characteristic function replaces features outside a
    coalition by their mean. The covariance is the minimum covariance determinant (Rousseeuw & Van Driessen
    1999). With fewer than 5 rows a column, more than 50 columns, or a singular result, it is Ledoit & Wolf's
    shrunk covariance of wrapped values: those far from their column's median weigh less, and from 4 robust
    standard deviations on nothing (Raymaekers & Rousseeuw 2021, "Fast robust correlation for high-dimensional
    data"). That bears wild values, but not rows that are wild only in how their values go together. A
    column of which more than half is one value, such as a rare category's, is not wrapped: little of it
    would be left.

    A column that is constant in the background is independent of the others; a value that departs from it is
    1e150 deviations away, as in `ZScore`.
    """

    requires: frozenset[str] = frozenset()
    version = 4

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Estimate mean and covariance of the background."""
        rows = matrix(background, "background", min_rows=1)
        self._scale, d = Scale.of(rows), rows.shape[1]
        self._location, self._precision = np.zeros(d), np.eye(d)
        varying = np.flatnonzero(~self._scale.constant)
        if len(varying):
            self._location[varying], precision = self._estimate(self._scale.forward(rows)[:, varying])
            self._precision[np.ix_(varying, varying)] = precision
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the shares (n, d) in the squared distances of rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=len(self._location)))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        z = self._scale.departures(row) - self._location
        shares: FloatArray = z * (self._precision @ z)
        return shares

    def _estimate(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        n, d = rows.shape
        if n >= ROWS_PER_COLUMN * d and d <= MAX_COLUMNS and (robust := self._least_determinant(rows)):
            return robust
        return _shrunk(rows)

    def _least_determinant(self, rows: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        from sklearn.covariance import MinCovDet  # noqa: PLC0415  # as above

        seed = int(stream(self.random_state, "mahalanobis").integers(2**32))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of singular covariances, which are looked for below
            try:
                fitted = MinCovDet(random_state=seed).fit(rows)
            except ValueError:  # half of the rows are equal
                return None
        full_rank = np.linalg.matrix_rank(fitted.covariance_, hermitian=True) == rows.shape[1]
        return (fitted.location_, fitted.precision_) if full_rank else None


def _shrunk(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    from sklearn.covariance import LedoitWolf  # noqa: PLC0415  # takes a second to import

    scale = Scale.of(rows, robust=True)
    median, spread = scale.middle, scale.deviation
    mostly_one_value = (rows == np.median(rows, axis=0)).mean(axis=0) > 0.5  # no MAD
    wrapped = np.where(mostly_one_value, rows, _wrapped((rows - median) / spread))
    median, spread = np.where(mostly_one_value, 0.0, median), np.where(mostly_one_value, 1.0, spread)
    fitted = LedoitWolf().fit(wrapped)
    return median + fitted.location_ * spread, fitted.precision_ / np.outer(spread, spread)


def _wrapped(z: FloatArray) -> FloatArray:
    """Return standardised values, of which those beyond WRAP_FROM shrink, and those beyond WRAP_TO are 0."""
    size = np.abs(z)
    shrinking = WRAP_SIZE * np.tanh(WRAP_SLOPE * (WRAP_TO - size))
    wrapped: FloatArray = np.sign(z) * np.where(size < WRAP_FROM, size, np.maximum(shrinking, 0.0))
    return wrapped
