"""What it costs to explain, and what an explainer may do."""

import dataclasses
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import metrics
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.explainers import EXPLAINERS, as_explainer
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial import explain as explaining
from xadbench.evaluation.trial.fit import fit
from xadbench.evaluation.trial.run import run_trial

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


def test_rows_scored_are_counted_where_they_are_scored(trial):
    cost = trial("kernel_shap")["cost"]
    background, coalitions = 100, 20
    assert 1 <= cost["fit"]["rows_scored"] <= 2 * background  # shap scores one row more than once
    n_explained = len(fit(load_source(RECIPE, 0), Component(name="distance")).rows_to_explain())
    assert cost["explain"]["rows_scored"] >= n_explained * coalitions * background


def test_the_first_trial_alone_warms_up(stand_ins, monkeypatch, trial):
    monkeypatch.setattr(explaining, "TIMINGS", 1)
    for n_calls in (2, 3, 4):
        trial("faulty", fault="none")
        assert stand_ins.Faulty.n_calls == n_calls


@pytest.mark.parametrize(
    ("brief", "most_seconds", "n_calls"),
    [(np.inf, np.inf, explaining.TIMINGS), (0.0, np.inf, 1), (np.inf, 0.0, 1)],
)
def test_what_is_brief_is_timed_several_times(stand_ins, monkeypatch, brief, most_seconds, n_calls, trial):
    trial("faulty", fault="none")  # warms up
    monkeypatch.setattr(explaining, "BRIEF", brief)
    monkeypatch.setattr(explaining, "MOST_SECONDS", most_seconds)
    before = stand_ins.Faulty.n_calls
    trial("faulty", fault="none")
    assert stand_ins.Faulty.n_calls - before == n_calls


class Spoils:
    """An explainer that leaves nothing of the detector."""

    def fit(self, detector, background):
        vars(detector).update(dict.fromkeys(vars(detector)))
        return self

    def explain(self, X):
        return np.abs(X)


def test_what_an_explainer_does_to_the_detector_reaches_no_other_trial(monkeypatch, stand_ins):
    monkeypatch.setitem(EXPLAINERS, "spoils", Entry("a stand-in", lambda: factory_of(Spoils)))
    fitted = fit(source := load_source(RECIPE, 0), Component(name="distance"))
    before = dict(vars(fitted.detector))
    result = run_trial(fitted, Component(name="spoils"), source)
    assert result["status"] == "ok", result["traceback"]
    assert vars(fitted.detector) == before != {}


def test_a_detector_that_cannot_be_copied_is_shared(fitted):
    own = dataclasses.replace(fitted, detector=(number for number in ()))
    assert explaining.with_own_detector(own).detector is own.detector


class ByScore:
    """An explainer that asks for the score of each row once."""

    def fit(self, detector, background):
        self.detector = detector
        return self

    def explain(self, X):
        return self.detector.decision_function(X)[:, None] * X


class Sum:
    """A detector."""

    def decision_function(self, X):
        return X.sum(axis=1)


def test_of_several_timings_the_least_counts_and_the_rows_of_one(fitted, monkeypatch):
    seconds, real = iter([5.0, 6.0, 3.0, 7.0, 9.0, 2.0]), metrics.metered  # to fit and to explain in turn

    @contextmanager
    def metered(rows, *, memory):
        with real(rows, memory=memory) as cost:
            yield cost
        cost.seconds, cost.cpu_seconds = 0.0, next(seconds)

    monkeypatch.setattr(metrics, "metered", metered)
    monkeypatch.setattr(explaining, "BRIEF", np.inf)
    monkeypatch.setattr(explaining, "TIMINGS", 3)
    summed = dataclasses.replace(fitted, detector=Sum())
    _, costs = explaining.explain_at_cost(ByScore(), summed, np.array([0, 2]))
    assert (costs["fit"].cpu_seconds, costs["explain"].cpu_seconds) == (3.0, 2.0)
    assert costs["explain"].rows_scored == 2


HALF = TableSpec(recipe="table2-d10-5", rows=200, semi_supervised=True)


def test_explainers_get_the_training_rows_as_background():
    seen = []
    source = load_source(HALF, 0)
    fitted = fit(source, Component(name="distance"))
    explaining.explain(
        as_explainer(lambda _, background, X: seen.append(background) or X), fitted, np.arange(3)
    )
    np.testing.assert_array_equal(seen[0], fitted.background)


class Framed:
    """Returns attributions as a frame, its columns by the names given, in reverse."""

    def __init__(self, names):
        self.names = list(names)

    def fit(self, detector, background):
        return self

    def explain(self, X):
        return pd.DataFrame(np.abs(X), columns=self.names).iloc[:, ::-1]


def test_attributions_in_a_frame_are_ordered_by_the_features_names():
    fitted = fit(load_source(RECIPE, 0), Component(name="distance"))
    rows = fitted.rows_to_explain()
    attributions = explaining.explain(Framed(fitted.table.feature_names), fitted, rows)
    np.testing.assert_array_equal(attributions, np.abs(fitted.table.X[rows]))
    with pytest.raises(InputError, match=r"attributions has the column labels \['q9', 'q8'"):
        explaining.explain(Framed(f"q{i}" for i in range(10)), fitted, rows)
    with pytest.raises(InputError, match="row labels"):
        explaining.explain(as_explainer(lambda d, b, X: pd.DataFrame(np.abs(X))[::-1]), fitted, rows)
    with pytest.raises(InputError, match="beyond 2"):
        explaining.explain(as_explainer(lambda d, b, X: np.full(X.shape, 2**53 + 1)), fitted, rows)
