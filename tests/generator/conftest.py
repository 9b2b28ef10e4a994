import numpy as np
import pytest

from xadbench.datasets import LabelledTable
from xadbench.datasets.rng import stream
from xadbench.generator.recipe import Recipe

ALL_KINDS = ("cluster", "global", "local", "additive", "multiplicative", "dependency", "swap", "mechanism")


@pytest.fixture
def rng():
    return stream(0, "test")


@pytest.fixture(scope="session")
def small_recipe():
    return Recipe.model_validate(
        {
            "name": "small",
            "rows": 600,
            "anomaly_ratio": 0.25,
            "graph": {"nodes": 8, "edges": 6},
            "anomalies": ALL_KINDS,
        }
    )


@pytest.fixture(scope="session")
def real_table():
    """Six features on very different scales; the third is constant; the last 20 rows are anomalous."""
    rng = stream(0, "real rows")
    z = rng.standard_normal((320, 6))
    z[:, 1] = z[:, 0] + 0.5 * z[:, 1]
    X = np.array([0.1, 1e6, 7.3, -5.0, 0.0, 1e-3]) + np.array([1.0, 1e4, 0.0, 3.0, 1e-8, 1e3]) * z
    return LabelledTable(
        X=X,
        y=np.arange(320) >= 300,
        feature_names=("a", "b", "c", "d", "e", "f"),
        provenance={"source": "a test"},
    )
