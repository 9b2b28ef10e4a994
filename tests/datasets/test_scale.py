"""One answer to what is constant and what the scale of a column is, in any unit."""

import numpy as np
import pytest

from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.scale import DEPARTURE, Scale
from xadbench.evaluation.explainers import make_explainer

NORMAL = np.random.default_rng(0).normal(size=(2000, 3))
UNITS = {
    "tiny": lambda x: x * 1e-170,
    "subnormal": lambda x: x * 1e-308,
    "huge": lambda x: x * 1e155,
    "huger": lambda x: x * 1e300,
    "both ends": lambda x: np.clip(x, -1, 1) * 1.7e308,
    "microseconds": lambda x: np.round(1.7e15 + 400 * x),
    "pressure": lambda x: 101_325 + 3e-8 * x,
    "ordinary": lambda x: 5 + 2 * x,
}
CLOSED_FORMS = ("z_score", "robust_z", "mahalanobis", "surprise_ridge", "hbos")


@pytest.mark.parametrize("unit", UNITS)
def test_a_varying_column_has_deviation_1_after_standardising(unit):
    X = NORMAL.copy()
    X[:, 0] = UNITS[unit](X[:, 0])
    ours = standardise(LabelledTable(X=X, y=np.zeros(len(X), bool))).X
    np.testing.assert_allclose(ours.std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(ours.mean(axis=0), 0, atol=1e-9)


def test_centre_and_spread_are_the_columns_own():
    scale = Scale.of(NORMAL * [1, 10, 0.1] + [0, 100, 3])
    np.testing.assert_allclose(scale.middle, NORMAL.mean(axis=0) * [1, 10, 0.1] + [0, 100, 3])
    np.testing.assert_allclose(scale.deviation, NORMAL.std(axis=0) * [1, 10, 0.1])


def test_a_constant_column_is_centred_alone():
    scale = Scale.of(np.full((5, 2), [3.0, 0.1]))
    assert (scale.constant.all(), scale.middle.tolist(), scale.deviation.tolist()) == (
        True,
        [3.0, 0.1],
        [1, 1],
    )
    rows = np.array([[3.0, 0.1], [4.0, 0.0]])
    assert scale.forward(rows).tolist() == [[0, 0], [1, -0.1]]
    assert scale.departures(rows).tolist() == [[0, 0], [DEPARTURE, -DEPARTURE]]


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_constant_column_gets_0_and_what_departs_from_it_comes_first(name):
    background = np.hstack([NORMAL, np.full((len(NORMAL), 4), 7.1), NORMAL[:, :2] ** 2])
    fitted = make_explainer(name, random_state=0).fit(None, background=background)
    rows = background[:3].copy()
    rows[:, 0] += 50
    assert (fitted.explain(rows)[:, 3:7] == 0).all()
    rows[1, 4] = np.nextafter(7.1, 8)
    attributions = fitted.explain(rows)[1]
    assert np.isfinite(attributions).all()
    assert attributions[4] == attributions.max()
