"""What the estimators of this package share: the conventions of scikit-learn, and PyOD's threshold."""

import os
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import check_columns, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.scale import is_constant
from xadbench.dsil import serialization


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
            validate_data(
                self, X, reset=reset, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=min_rows
            )
        except ValueError as error:
            raise InputError(" ".join(str(error).split())) from None
        return matrix(X)  # not what scikit-learn has cast; it says where a value is no finite number


class DegenerateWarning(UserWarning):
    """Rows that a detector can learn little from."""


class InterruptWarning(UserWarning):
    """A fit ended early and was kept."""


class Interrupted(KeyboardInterrupt):
    """An interrupt of a fit whose finished parts are kept: the detector is ready for use."""

    def __init__(self, unit: str, finished: int, n_units: int) -> None:
        super().__init__(f"interrupted: the fit is that of {finished} of {n_units} {unit}s, ready for use")


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
            For bad rows or parameters. It leaves the detector as it was before.
        KeyboardInterrupt
            Of an interrupt (Ctrl-C). A detector by a network is then as a fit with the finished epochs alone
            would be; any other, and one that finished none, as it was before.

        Warns
        -----
        DegenerateWarning
            If columns are constant, all rows equal, or, for a detector by a network, fewer than a batch.
        InterruptWarning
            If an interrupt leaves finished epochs.
        """
        self._warn(self._fit(X))
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher = more anomalous.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite, or has other columns than at fit.
        """
        return self._finite_scores(self._fitted_rows(X))

    def predict(self, X: ArrayLike) -> IntArray:
        """Return 1 for the rows whose score is above `threshold_`, 0 for the others, (n,) int."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the fitted detector as a new folder, to be read by `xadbench.dsil.load`.

        The folder holds `arrays.safetensors` and `detector.json`; it appears whole or not at all.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `folder` exists already, or a parameter cannot be saved.
        """
        check_is_fitted(self)
        return serialization.save(self, folder)

    def _state(self) -> dict[str, Any]:
        """Return what to save beside the parameters: as a rule every fitted attribute.

        Arrays, data frames, detectors, retention schedules, numbers and text can be saved, and lists, tuples
        and dicts of them. A detector that holds anything else turns it into these, and back in `_restore`.
        """
        return {name: value for name, value in vars(self).items() if name.endswith("_")}

    def _restore(self, state: dict[str, Any]) -> None:
        """Take back what `_state` returned."""
        self.__dict__.update(state)

    def _fit(self, X: ArrayLike, *more: ArrayLike | None) -> FloatArray:
        """Check, learn and evaluate without a warning; `more` goes to `_learn`. Return the checked rows."""
        if not isinstance(self.contamination, int | float) or not 0 < self.contamination <= 0.5:
            raise InputError(f"contamination is {self.contamination!r}, expected a share in (0, 0.5]")
        with one_thread(), self._whole_or_not():
            rows = self._new_rows(X)
            self._learn(rows, *more)
            self._score_training_rows(rows)
        return rows

    def _warn(self, rows: FloatArray) -> None:
        """Warn, in the name of the `fit` that calls this, of what is degenerate in its rows (n, d)."""
        for message in self._degeneracies(rows):
            warnings.warn(message, DegenerateWarning, stacklevel=3)

    def _degeneracies(self, rows: FloatArray) -> Iterator[str]:
        """Yield what makes it hard to learn from checked rows (n, d)."""
        constant = np.flatnonzero(is_constant(rows))
        if len(constant) == rows.shape[1]:
            yield f"all {len(rows)} rows of X are equal: nothing tells a normal row from an anomaly"
        elif len(constant):
            yield f"{len(constant)} of {rows.shape[1]} columns of X are constant; first: column {constant[0]}"

    @contextmanager
    def _whole_or_not(self) -> Iterator[None]:
        """Put the attributes back as they were if a fit fails, or is interrupted before anything is kept."""
        before = vars(self).copy()
        try:
            yield
        except Interrupted as interrupt:
            warnings.warn(str(interrupt), InterruptWarning, stacklevel=5)  # in the name of the public method
            raise
        except BaseException:
            self.__dict__ = before
            raise

    def _score_training_rows(self, rows: FloatArray) -> Self:
        """Take the threshold from the scores of the training rows."""
        self.decision_scores_ = self._finite_scores(rows)
        self.threshold_ = float(np.quantile(self.decision_scores_, 1 - self.contamination))
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def _finite_scores(self, rows: FloatArray) -> FloatArray:
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            scores = self._scores(rows)
        if len(bad := np.flatnonzero(~np.isfinite(scores))):
            raise InputError(f"the score of row {bad[0]} is {scores[bad[0]]}: its values are too large")
        return scores

    def _fitted_tensor(self, x: Tensor) -> Tensor:
        """Return the rows `x`, a tensor (n, d), checked against the fit; `NotFittedError` before one."""
        check_is_fitted(self)
        if x.ndim != 2:
            raise InputError(f"x has shape {tuple(x.shape)}, expected (n, d)")
        check_columns(x.shape[1], self.n_features_in_)
        return x

    @abstractmethod
    def _learn(self, rows: FloatArray) -> None:
        """Learn from checked rows (n, d), n at least 2."""

    @abstractmethod
    def _scores(self, rows: FloatArray) -> FloatArray:
        """Return the scores (n,), float64, of checked rows (n, d)."""
