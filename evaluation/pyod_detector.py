"""PyOD's detectors under our convention: seeded, and without a trace in the global random state."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone

from xadbench.datasets.arrays import FloatArray
from xadbench.dsil.networks import torch_seeded

N_FEATURES = "n_features"  # DeepSVDD wants to be told the number of columns


class PyODDetector:
    """Any detector of PyOD, as a `Detector`.

    Parameters
    ----------
    model
        An unfitted PyOD model. Its `n_features`, where it has one, is set at fit.
    random_state
        Seeds the global generators of Python, numpy and torch while the model works, since some models draw
        from them; their states are put back afterwards.
    """

    version: ClassVar[int] = 1

    def __init__(self, model: Any, random_state: int = 0) -> None:
        self.model = model
        self.random_state = random_state

    def fit(self, X: FloatArray) -> Self:
        """Fit the model to rows (n, d)."""
        with globally_seeded(self.random_state):
            if N_FEATURES in self.model.get_params(deep=False):
                self.model.set_params(n_features=X.shape[1])
            self.model.fit(np.array(X))
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the model's scores (n,) of rows (n, d); higher is more anomalous."""
        with globally_seeded(self.random_state):
            return np.asarray(self.model.decision_function(np.array(X)), dtype=np.float64)

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: FBT001, FBT002  # scikit-learn's
        """Return the seed and the model's parameters."""
        params: dict[str, Any] = self.model.get_params(deep=deep)
        return {"random_state": self.random_state} | params

    def __sklearn_clone__(self) -> Self:
        with globally_seeded(self.random_state):
            return type(self)(clone(self.model), self.random_state)


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Seed Python's, numpy's and torch's global generators inside the block; put them back afterwards."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # what PyOD draws from
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  # as above
        with torch_seeded(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002  # as above
