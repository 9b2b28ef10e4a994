"""Detectors fitted to the training rows of a table."""

import dataclasses

import numpy as np
import pytest

from xadbench.datasets import InputError, LabelledTable
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial.fit import Fitted, ceiling, fit
from xadbench.evaluation.trial.key import trial_key

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


def test_no_detector_beats_the_oracle():
    source = load_source(TableSpec(recipe="contextual-d10", rows=1000), 0)
    oracle = fit(source, Component(name="oracle")).quality()["auc_roc"]
    assert ceiling(source)["oracle_auc_roc"] == oracle > 0.9
    assert oracle > fit(source, Component(name="iforest")).quality()["auc_roc"] + 0.1


def test_the_oracle_needs_the_network():
    source = load_source(TableSpec(dataset="bundled:wine", inject={"ratio": 0.2}), 0)
    assert fit(source, Component(name="oracle")) is None
    assert np.isnan(ceiling(source)["oracle_auc_roc"])
    random = Component(name="random")
    with pytest.raises(InputError, match="control 'oracle' takes no parameters"):
        trial_key(source, Component(name="oracle", params={"epochs": 3}), random)


def test_a_short_table_is_drawn_up_to_1000_rows_only_without_injection(adbench_folder, monkeypatch):
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(adbench_folder))
    plain = load_source(TableSpec(dataset="adbench:vertebral"), 0).table
    assert plain.n_rows == 1000
    injected = load_source(TableSpec(dataset="adbench:vertebral", inject={"ratio": 0.1}), 0).table
    assert injected.n_rows == 210
    long = TableSpec(dataset="adbench:skin", inject={"kinds": ["additive"]})
    assert load_source(long, 0).table.n_rows < 50_000


HALF = TableSpec(recipe="table2-d10-5", rows=200, semi_supervised=True)


def test_a_semi_supervised_table_trains_on_half_of_its_normal_rows_and_is_the_other_rows():
    whole, source = load_source(RECIPE, 0), load_source(HALF, 0)
    n_normal = int((~whole.table.y).sum())
    assert source.training.n_rows == n_normal // 2
    assert not source.training.y.any()
    assert source.table.n_rows == whole.table.n_rows - n_normal // 2
    assert source.table.y.sum() == whole.table.y.sum()
    assert source.label == "table2-d10-5, semi-supervised"
    fitted = fit(source, Component(name="distance"))
    np.testing.assert_allclose(fitted.background.mean(axis=0), 0, atol=1e-12)  # the anomalies have no say
    np.testing.assert_allclose(fitted.detector.mean, 0, atol=1e-12)
    assert abs(fitted.table.X.mean(axis=0)).max() > 0.01
    assert len(fitted.scores) == source.table.n_rows


def test_a_table_without_normal_rows_enough_cannot_be_split(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,is\n1,2,0\n2,3,0\n3,4,1\n")
    with pytest.raises(InputError, match=r"t\.csv.*2 normal rows of 3"):
        load_source(TableSpec(dataset=str(path), label="is", semi_supervised=True), 0)


def test_the_scores_of_iterations_become_a_curve(fitted):
    class Iterative:
        iteration_scores_ = np.array([[4.0, 1.0, 3.0, 2.0], [4.0, 3.0, 2.0, 1.0]])

    iterative = dataclasses.replace(fitted, detector=Iterative())
    assert iterative.iteration_auc_roc() == [0.5, 1.0]
    assert fitted.iteration_auc_roc() is None
    Iterative.iteration_scores_ = np.zeros((2, 3))  # of other rows
    assert iterative.iteration_auc_roc() is None


@pytest.mark.parametrize(
    ("scores", "facts"),
    [
        (lambda X: np.where(X[:, 0] > 0, np.nan, 1.0), ("Odd", "NaN or infinite", "row")),
        (lambda X: np.full(len(X), np.inf), ("Odd", "NaN or infinite", "row 0")),
        (lambda X: X[:, :2], ("Odd", "shape", "expected")),
        (lambda X: np.array(["high"] * len(X)), ("Odd", "not an array of numbers")),
    ],
)
def test_scores_that_are_not_one_finite_number_a_row_are_refused(scores, facts):
    table = LabelledTable(X=np.random.default_rng(0).normal(size=(20, 3)), y=np.arange(20) < 2)
    odd = type("Odd", (), {"decision_function": lambda self, X: scores(X)})()
    with pytest.raises(InputError) as error:
        Fitted(odd, table, odd.decision_function(table.X), 0.0)
    assert all(fact in str(error.value) for fact in facts)


def test_scores_in_a_column_are_taken_as_one_a_row():
    table = LabelledTable(X=np.random.default_rng(0).normal(size=(20, 3)), y=np.arange(20) < 2)
    fitted = Fitted(None, table, table.X[:, :1], 0.0)
    assert (fitted.scores == table.X[:, 0]).all()
