"""DSIL: train, drop the rows that look anomalous, train on; so that the detector learns what is normal."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.checks import at_least, matrix
from xadbench.datasets.errors import InputError

from .dte import DTE
from .estimator import Estimator
from .retention import Retention, find_retention


class Base(Protocol):
    """What DSIL asks of the detector that it iterates."""

    def partial_fit(self, X: FloatArray) -> object:
        """Train on these rows; a second call carries on from the first."""

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores (n,); higher = more anomalous."""

    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), differentiable by `x`."""


@dataclass(frozen=True)
class Iteration:
    """One iteration as it was: the share of rows it was given (1 for the first) and their number."""

    ratio: float
    n_rows: int


class DSIL(Estimator):
    """Detector that learns from ever cleaner samples of a contaminated data set.

    Each iteration trains the base on the rows kept, scores *all* rows, and keeps the share r_t of them with
    the lowest scores for the next. The weights carry on; the optimiser is new each time.

    Parameters
    ----------
    base
        The detector to iterate; None stands for `DTE()`. It is cloned, never changed. Its epochs are shared
        among the iterations (400 over 15 are 26 each), and `random_state` replaces its own.
    retention
        "fixed", "cosine" or "exponential", with the paper's ratios, or a schedule from
        `xadbench.dsil.retention`.
    iterations
        How often to train, at least 1 and at most the base's epochs.
    random_state
        Seed, at least 0.

    Attributes
    ----------
    detector_
        The trained clone of the base.
    history_ : list of Iteration
        What each iteration was trained on.
    kept_ : (n,) bool
        The rows that the last iteration was trained on.
    n_features_in_
        Number of columns at fit.

    Notes
    -----
    Source: Vincent et al. 2025, algorithm 1, whose printed choice of the *highest* scores is a misprint.
    """

    version: ClassVar[int] = 1
    detector_: Base
    history_: list[Iteration]
    kept_: BoolArray

    def __init__(
        self,
        base: DTE | None = None,
        retention: str | Retention = "fixed",
        iterations: int = 15,
        random_state: int = 0,
    ) -> None:
        self.base = base
        self.retention = retention
        self.iterations = iterations
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # y: scikit-learn's signature
        """Train on rows (n, d), n at least 2; `InputError` for bad rows or parameters."""
        rows = matrix(X, min_rows=2)
        at_least(1, iterations=self.iterations)
        detector, retention = self._new_detector(), find_retention(self.retention)
        self.kept_, self.history_ = iterate(detector, rows, retention, self.iterations)
        self.detector_, self.n_features_in_ = detector, rows.shape[1]
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher = more anomalous. Raises what the base does."""
        check_is_fitted(self)
        return self.detector_.decision_function(X)

    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,) of rows (n, d), in the base's type; differentiable by `x`."""
        check_is_fitted(self)
        return self.detector_.score_tensor(x)

    def _new_detector(self) -> DTE:
        detector: DTE = DTE() if self.base is None else clone(self.base)
        if detector.epochs < self.iterations:
            raise InputError(f"{detector.epochs} epochs cannot be shared among {self.iterations} iterations")
        detector.set_params(epochs=detector.epochs // self.iterations, random_state=self.random_state)
        return detector


def iterate(
    detector: Base, rows: FloatArray, retention: Retention, iterations: int
) -> tuple[BoolArray, list[Iteration]]:
    """Train `detector` in place; return the rows of the last iteration, (n,) bool, and the history."""
    kept, history = np.arange(len(rows)), [Iteration(1.0, len(rows))]
    detector.partial_fit(rows)
    for t in range(iterations - 1):
        ratio = retention.ratio(t, iterations)
        kept = lowest(detector.decision_function(rows), ratio)
        detector.partial_fit(rows[kept])
        history.append(Iteration(ratio, len(kept)))
    return np.isin(np.arange(len(rows)), kept), history


def lowest(scores: FloatArray, ratio: float) -> IntArray:
    """Return the rows, in order, with the lowest round(ratio * n) scores, at least 2; ties: earlier rows."""
    n_kept = max(2, round(ratio * len(scores)))
    return np.sort(np.argsort(scores, kind="stable")[:n_kept])
