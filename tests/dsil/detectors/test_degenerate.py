"""What detectors say of rows that they can learn little from, or nothing."""

import warnings

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import NotApplicable
from xadbench.dsil import (
    DDPM,
    DSIL,
    DTE,
    DTENonParametric,
    Ensemble,
    Gaussian,
    Neighbours,
    Tails,
    WeightedLoss,
)
from xadbench.dsil.detectors.base import DegenerateWarning
from xadbench.dsil.detectors.retention import Fixed

NETWORKS = {
    "dte": DTE(epochs=2, batch_size=32),
    "dte_inverse_gamma": DTE("inverse_gamma", epochs=2, batch_size=32),
    "ddpm": DDPM(epochs=2, batch_size=32, n_steps=20, reverse_steps=5),
}
OVER_NETWORKS = {
    "dsil": DSIL(DTE(epochs=4, batch_size=32), iterations=2),
    "dsil_fresh": DSIL(DTE(epochs=4, batch_size=32), iterations=2, weights="fresh"),
    "weighted_loss": WeightedLoss(DTE(epochs=4, batch_size=32), rounds=2),
}
WITHOUT = {
    "dte_non_parametric": DTENonParametric(),
    "gaussian": Gaussian(),
    "neighbours": Neighbours(),
    "neighbours_mahalanobis": Neighbours(metric="mahalanobis"),
    "tails": Tails(),
    "ensemble": Ensemble(),
    "dsil_gaussian": DSIL(Gaussian(), iterations=2),
}
ALL = {**NETWORKS, **OVER_NETWORKS, **WITHOUT}
ROWS = np.random.default_rng(0).standard_normal((40, 4))


def each(detectors):
    return pytest.mark.parametrize("detector", detectors.values(), ids=detectors.keys())


@each(ALL)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_and_located(detector, value):
    X = ROWS.copy()
    X[7, 2] = value
    with pytest.raises(InputError, match=r"1 value\(s\) that are NaN or infinite; first: row 7, column 2"):
        detector.fit(X)


@each(ALL)
def test_a_constant_column_is_told_once(detector):
    X = ROWS.copy()
    X[:, 1] = 3
    with pytest.warns(
        DegenerateWarning, match="^1 of 4 columns of X are constant; first: column 1$"
    ) as reported:
        detector.fit(X)
    assert [warning.filename for warning in reported] == [__file__]
    assert np.isfinite(detector.decision_scores_).all()


@each(ALL)
def test_equal_rows_are_told_once_and_score_alike(detector):
    with pytest.warns(DegenerateWarning, match="^all 40 rows of X are equal: nothing tells") as reported:
        detector.fit(np.ones((40, 4)))
    assert len(reported) == 1
    assert detector.decision_scores_.std() == pytest.approx(0)


@each({**NETWORKS, **OVER_NETWORKS})
def test_fewer_rows_than_a_batch_are_told_once_at_the_entry(detector):
    fitted = detector.fit(ROWS)  # forty rows: says nothing, though DSIL goes on with twenty of them
    assert np.isfinite(fitted.decision_scores_).all()
    with pytest.warns(
        DegenerateWarning, match="X has 31 rows, fewer than batch_size = 32: an epoch is"
    ) as reported:
        detector.fit(ROWS[:31])
    assert [warning.filename for warning in reported] == [__file__]


@each({name: own for name, own in ALL.items() if name != "dte_inverse_gamma"})
def test_a_single_column_is_no_fault(detector):
    assert np.isfinite(detector.fit(ROWS[:, :1]).decision_scores_).all()


@each({"alone": NETWORKS["dte_inverse_gamma"], "iterated": DSIL(NETWORKS["dte_inverse_gamma"], iterations=2)})
@pytest.mark.parametrize("n_columns", [1, 2])
def test_columns_that_an_inverse_gamma_has_no_shape_for_are_declared_not_applicable(detector, n_columns):
    with pytest.raises(NotApplicable, match=rf"X has {n_columns} feature\(s\), expected at least 3"):
        detector.fit(ROWS[:, :n_columns])


def test_a_retention_that_leaves_a_single_row_is_refused_before_the_training():
    class Untrained(Gaussian):
        def _learn(self, rows):
            raise AssertionError

    with pytest.raises(InputError, match=r"a retention of 0\.02 leaves 1 of 40 rows, expected at least 2"):
        DSIL(Untrained(), Fixed(0.02), iterations=3).fit(ROWS)


@each(OVER_NETWORKS)
def test_nothing_is_told_of_what_is_sound(detector):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.fit(ROWS)
