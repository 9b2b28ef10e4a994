"""The tails of each feature's distribution: what ECOD and COPOD score, as detectors and as explainers.

A value is evaluated within the background and itself, and by nothing else. PyOD's ECOD and COPOD evaluate
it within the batch that it came with too, so their scores depend on the batch.
"""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import matrix


class Tails:
    """How far out in the tails of each feature's distribution values lie.

    Parameters
    ----------
    background
        The rows (b, d) whose distribution it is.
    """

    def __init__(self, background: FloatArray) -> None:
        rows = matrix(background, "background", min_rows=1)
        self._columns = np.sort(rows.T, axis=1)
        self._surprise = -np.log((np.arange(len(rows) + 1) + 1) / (len(rows) + 1))  # by count
        # Centred at a value first: the mean of a constant column may round, and so fake a skewness.
        centred = rows - rows[0]
        self._skewness = ((centred - centred.mean(axis=0)) ** 3).mean(axis=0)

    def ecod(self, X: FloatArray) -> FloatArray:
        """Return the surprise (n, d), at least 0, of the smaller tail of each value of rows (n, d)."""
        return np.maximum(*self._both(X))

    def copod(self, X: FloatArray) -> FloatArray:
        """Return the larger surprise (n, d), at least 0, of the skewed tail and of the mean of both."""
        left, right = self._both(X)
        skewed = np.where(self._skewness < 0, left, right)
        return np.maximum(skewed, (left + right) / 2)

    def _both(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the surprise (n, d) of the left tail, and of the right."""
        rows = matrix(X, n_columns=len(self._columns))
        left = self._counts(rows, "right")
        right = self._columns.shape[1] - self._counts(rows, "left")
        return self._surprise[left], self._surprise[right]

    def _counts(self, rows: FloatArray, side: str) -> IntArray:
        columns = zip(self._columns, rows.T, strict=True)
        return np.stack([np.searchsorted(known, values, side) for known, values in columns], axis=1)  # type: ignore[call-overload]  # side is a plain string
