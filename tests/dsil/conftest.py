"""A data set with planted outliers, and detectors trained on it just long enough."""

import numpy as np
import pytest

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.dsil import DTE

N_OUTLIERS = 20


@pytest.fixture(scope="session")
def planted() -> tuple[FloatArray, BoolArray]:
    """400 correlated rows of 20 features, standardised; in the first 20, feature i % 20 is off by six."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 20)) @ rng.standard_normal((20, 20))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    outliers = np.arange(N_OUTLIERS)
    X[outliers, outliers] += 6 * np.where(X[outliers, outliers] < 0, -1, 1)
    return X, np.arange(400) < N_OUTLIERS


@pytest.fixture(scope="session")
def detector(planted: tuple[FloatArray, BoolArray]) -> DTE:
    return DTE(epochs=60, learning_rate=1e-3).fit(planted[0])
