"""DSIL over detectors that are not ours, which may draw from the global random state."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator

from xadbench.dsil import DSIL


class Global(BaseEstimator):
    """A detector that draws from the global generators, as some of PyOD's do."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X):
        self.weights_ = np.random.random(X.shape[1]) + torch.rand(1).item()  # noqa: NPY002  # what it does wrong

    def decision_function(self, X):
        return X @ self.weights_ + np.random.random()  # noqa: NPY002  # as above


@pytest.mark.parametrize("weights", ["carried_on", "fresh"])
def test_a_foreign_base_neither_sees_nor_alters_the_global_random_state(weights):
    X, scores = np.random.default_rng(0).standard_normal((50, 3)), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002  # somebody else's
        before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002  # is it left alone?
        detector = DSIL(Global(), iterations=3, weights=weights).fit(X)
        scores.append(detector.decision_function(X))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002  # as above
    assert np.array_equal(scores[0], scores[1])
