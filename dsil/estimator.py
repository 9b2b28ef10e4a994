"""What the estimators of this package share: the conventions of scikit-learn, and PyOD's threshold."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.checks import matrix
from xadbench.datasets.errors import InputError


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A scikit-learn estimator that remembers the number of its columns, `n_features_in_`."""

    n_features_in_: int

    def _new_rows(self, X: ArrayLike, min_rows: int = 2) -> FloatArray:
        """Return `X` checked, (n, d) float64, and remember its columns."""
        return self._checked(X, min_rows, reset=True)

    def _fitted_rows(self, X: ArrayLike, min_rows: int = 0) -> FloatArray:
        """Return `X` checked against the fit; `NotFittedError` before one."""
        check_is_fitted(self)
        return self._checked(X, min_rows, reset=False)

    def _checked(self, X: ArrayLike, min_rows: int, *, reset: bool) -> FloatArray:
        try:
            rows = validate_data(
                self, X, reset=reset, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=min_rows
            )
        except ValueError as error:
            raise InputError(" ".join(str(error).split())) from None
        return matrix(rows)  # which says where a value is not finite


class Detector(Estimator):
    """A detector: `_learn` and `_scores` make one.

    Attributes
    ----------
    decision_scores_ : (n,) float64
        The scores of the training rows; higher = more anomalous.
    threshold_ : float
        The (1 - contamination) quantile of these.
    labels_ : (n,) int
        1 for the training rows above the threshold, 0 for the others.
    n_features_in_ : int
        Number of columns at fit.
    """

    contamination: float
    decision_scores_: FloatArray
    threshold_: float
    labels_: IntArray

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # y: scikit-learn's signature
        """Learn from rows (n, d), n at least 2; labels are not used.

        Raises
        ------
        InputError
            For bad rows or parameters. Like an interrupt, it leaves the detector as it was before.
        """
        with self._whole_or_not():
            rows = self._rows_to_fit(X)
            self._learn(rows)
            return self._judge(rows)

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher = more anomalous.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite, or has other columns than at fit.
        """
        return self._scores(self._fitted_rows(X))

    def predict(self, X: ArrayLike) -> IntArray:
        """Return 1 for the rows whose score is above `threshold_`, 0 for the others, (n,) int."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    @contextmanager
    def _whole_or_not(self) -> Iterator[None]:
        """Put the attributes back as they were if a fit fails or is interrupted."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    def _rows_to_fit(self, X: ArrayLike) -> FloatArray:
        """Return `X` checked, (n, d) float64, n at least 2, and remember its columns."""
        if not 0 < self.contamination <= 0.5:
            raise InputError(f"contamination is {self.contamination}, expected a share in (0, 0.5]")
        return self._new_rows(X)

    def _judge(self, rows: FloatArray) -> Self:
        """Take the threshold from the scores of the training rows."""
        self.decision_scores_ = self._scores(rows)
        self.threshold_ = float(np.quantile(self.decision_scores_, 1 - self.contamination))
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    @abstractmethod
    def _learn(self, rows: FloatArray) -> None:
        """Learn from checked rows (n, d), n at least 2."""

    @abstractmethod
    def _scores(self, rows: FloatArray) -> FloatArray:
        """Return the scores (n,), float64, of checked rows (n, d)."""
