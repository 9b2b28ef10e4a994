"""What the estimators of this package share: scikit-learn's parameters and the checks after a fit."""

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import matrix


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A scikit-learn estimator that remembers its number of columns, `n_features_in_`."""

    n_features_in_: int

    def _fitted_rows(self, X: ArrayLike, min_rows: int = 0) -> FloatArray:
        """Return `X` checked against the fit; `NotFittedError` before one."""
        check_is_fitted(self)
        return matrix(X, min_rows=min_rows, n_columns=self.n_features_in_)
