"""Metrics that call themselves free of the attributions' unit do not depend on it, however large or small."""

import numpy as np
import pytest

from xadbench.evaluation import metrics

X, WEIGHTS = np.array([[1.0, 2.0, -1.0, 0.5]]), np.array([3.0, -1.0, 2.0, 1.0])
FILL = {"fill_value": np.zeros(4)}
METRICS = {
    "faithfulness": lambda a, unit: metrics.faithfulness(a, X, score, **FILL),
    "fidelity": lambda a, unit: metrics.fidelity(a, X, score, **FILL),
    "infidelity": lambda a, unit: metrics.infidelity(a, X, score, **FILL, normalise=True),
    "max_sensitivity": lambda a, unit: metrics.max_sensitivity(a, X, lambda Z: WEIGHTS * np.tanh(Z) * unit),
}


def score(rows):
    return np.tanh(rows) @ WEIGHTS


@pytest.mark.parametrize("unit", [1e155, 1e300, 1e-165, 1e-300])
@pytest.mark.parametrize("name", METRICS)
def test_the_unit_of_attributions_changes_nothing(name, unit):
    expected, found = (METRICS[name](WEIGHTS * X * one, one) for one in (1.0, unit))
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
