"""Explainers made and fitted in a line, and rows for them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.explainers import make_explainer


def _score(function: Any) -> Any:
    return SimpleNamespace(decision_function=function)


def _explain(name: str, detector: Any, background: FloatArray, X: Any, **params: Any) -> FloatArray:
    return make_explainer(name, random_state=0, **params).fit(detector, background).explain(np.asarray(X))


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


def _chain(n: int, seed: int = 0) -> FloatArray:
    """Rows (n, 3) whose second column nearly equals the first."""
    X = normal(n, 3, seed=seed)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    return X


@pytest.fixture
def score():
    return _score


@pytest.fixture
def explain():
    return _explain


@pytest.fixture
def chain():
    return _chain
