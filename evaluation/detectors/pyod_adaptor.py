"""PyOD's detectors under our convention: seeded, and without a trace in the global random state."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from pyod.models.iforest import IForest
from sklearn.base import BaseEstimator, clone

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError, one_line
from xadbench.datasets.common.threads import one_thread
from xadbench.dsil.networks.seeding import globally_seeded
from xadbench.evaluation.components.tails import Tails

PROBED = 3  # rows whose scores are computed again after a fit
TOLERANCE = 1e-4  # of the largest score: what computes in float32 rounds by the batch
N_FEATURES = "n_features"  # DeepSVDD wants to be told the number of columns
# These score a row by the training rows and its whole batch: the same row, another score beside others. The
# sums of our per-feature scores are what they give a row by itself.
# By module, since importing PyOD's COPOD imports Matplotlib.
ALONE: dict[str, Callable[[Tails, FloatArray], FloatArray]] = {
    "pyod.models.ecod": Tails.ecod,
    "pyod.models.copod": Tails.copod,
}


class PyODDetector(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Any detector of PyOD, as a `Detector`.

    `contamination`, `decision_scores_`, `threshold_` and `labels_` are the model's. It cannot be saved: PyOD
    writes its models as pickles alone, and reading one runs whatever code it holds. ECOD and COPOD score each
    row against the training rows alone, as PyOD does with a batch of one.

    Parameters
    ----------
    model
        An unfitted PyOD model. Its `n_features`, where it has one, is set at fit.
    random_state
        Replaces the model's own, where it has one, and seeds the global generators of Python, numpy and torch
        while the model works, since some models draw from them; their states are put back afterwards.
    """

    version: ClassVar[int] = 2
    library: ClassVar[str] = "pyod"

    def __init__(self, model: Any, random_state: int = 0) -> None:
        self.model = model
        self.random_state = random_state

    @one_thread()
    def fit(self, X: FloatArray, y: object = None) -> Self:  # noqa: ARG002  # scikit-learn's signature
        """Fit the model to rows (n, d).

        Raises
        ------
        InputError
            If the model's score of a row depends on the other rows in the same call, as of ROD, SOS, CD and
            LMDD, or on its place among them.
        """
        self.n_features_in_ = X.shape[1]
        own = {N_FEATURES: X.shape[1], "random_state": self.random_state}
        with globally_seeded(self.random_state):
            known = self.model.get_params(deep=False).keys()
            self.model.set_params(**{name: value for name, value in own.items() if name in known})
            self.model.fit(np.array(X))
        if type(self.model).__module__ in ALONE:
            self._tails = Tails(np.array(X))
        self._check_scores_are_of_rows(np.array(X[:PROBED]))
        return self

    def _check_scores_are_of_rows(self, X: FloatArray) -> None:
        """Raise `InputError` if the scores of rows depend on the others beside them, or on their order."""
        name, score = type(self.model).__name__, self.decision_function
        try:
            together = score(X)
            apart = np.concatenate([score(X[1::-1])[::-1], score(X[2:])])  # the last by itself
        except Exception as error:  # noqa: BLE001  # whatever PyOD's models raise for so few rows
            raise InputError(f"{name} cannot score rows by themselves: {one_line(error)}") from None
        is_equal = np.abs(apart - together) <= TOLERANCE * np.abs(self.decision_scores_).max()
        if not is_equal.all():
            row = int(np.argmin(is_equal))
            raise InputError(
                f"{name} scores a row by the others that come with it: training row {row} gets "
                f"{together[row]:.6g} with some and {apart[row]:.6g} with others, so no explainer can ask it "
                "about a changed row; expected a detector whose score of a row is that row's own"
            )

    @one_thread()
    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the model's scores (n,) of rows (n, d); higher is more anomalous.

        Raises
        ------
        ValueError
            If the rows have another number of columns than at fit: not every model looks.
        """
        if X.shape[1] != getattr(self, "n_features_in_", X.shape[1]):
            raise ValueError(f"X has {X.shape[1]} columns, expected {self.n_features_in_}, as at fit")
        if (alone := ALONE.get(type(self.model).__module__)) is not None:
            return np.asarray(alone(self._tails, np.array(X)).sum(axis=1))
        with globally_seeded(self.random_state):
            return np.asarray(self.model.decision_function(np.array(X)), dtype=np.float64)

    def predict(self, X: FloatArray) -> IntArray:
        """Return 1 for the rows whose score is above `threshold_`, 0 for the others, (n,) int."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    @property
    def forest_(self) -> Any:
        """Scikit-learn's fitted isolation forest in an `IForest`; no other model has the attribute."""
        if not isinstance(self.model, IForest):
            raise AttributeError(f"{type(self.model).__name__} has no forest_")  # noqa: TRY004  # what hasattr expects
        return self.model.detector_

    @property
    def contamination(self) -> float:
        """Share of the training rows above the threshold."""
        return float(self.model.contamination)

    @property
    def decision_scores_(self) -> FloatArray:
        """The scores of the training rows, (n,)."""
        return np.asarray(self.model.decision_scores_, dtype=np.float64)

    @property
    def threshold_(self) -> float:
        """The (1 - contamination) quantile of these."""
        return float(self.model.threshold_)

    @property
    def labels_(self) -> IntArray:
        """1 for the training rows above the threshold, 0 for the others, (n,)."""
        return np.asarray(self.model.labels_, dtype=int)

    def __sklearn_clone__(self) -> Self:
        with globally_seeded(self.random_state):
            return type(self)(clone(self.model), self.random_state)
