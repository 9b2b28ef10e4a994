"""Trials from end to end: scored, skipped, or failed with a reason."""

import re
import sys

import numpy as np
import pytest

from xadbench.datasets import LabelledTable, content_hash
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import Source
from xadbench.evaluation.trial.fit import fit
from xadbench.evaluation.trial.outcome import contained
from xadbench.evaluation.trial.run import run_trial
from xadbench.evaluation.trial.scopes import Measures

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "RuntimeError: out of cheese"),
        ("nan", r"ValueError: \d+ attribution\(s\) are NaN or infinite"),
        ("shape", r"ValueError: attributions have shape \(\d+, 9\), expected \(\d+, 10\)"),
    ],
)
def test_a_faulty_explainer_is_an_error_with_its_reason(fault, reason, trial):
    result = trial("faulty", fault=fault)
    assert result["status"] == "error"
    assert re.fullmatch(reason, result["reason"])
    assert "Traceback" in result["traceback"]


@pytest.mark.parametrize(
    ("explainer", "spec", "reason"),
    [
        ("saliency", RECIPE, "gradient"),
        ("random", TableSpec(dataset="bundled:wine"), "the table has no ground truth"),
        ("oracle", TableSpec(dataset="bundled:wine", inject={"ratio": 0.2}), "the network .* is not known"),
    ],
)
def test_what_cannot_be_explained_is_skipped_with_the_reason(explainer, spec, reason, trial):
    result = trial(explainer, spec)
    assert result["status"] == "skipped"
    assert re.search(reason, result["reason"])


def test_the_controls_mark_the_ends_of_the_scale(trial):
    spec = TableSpec(recipe="table2-d10-5", rows=2000)  # rows enough for an oracle that is best on average
    scores = {
        name: trial(name, spec)["scores"]["anomalies"]["adjusted_ndcg_m"]
        for name in ("truth", "oracle", "random", "inverted_truth")
    }
    assert list(scores) == sorted(scores, key=scores.get, reverse=True)
    assert scores["truth"] == 1
    assert scores["oracle"] > 0.5


EVERYTHING = Measures(tuple(METRICS), fill_value="median")


def test_all_metrics_of_a_trial_and_its_cost(trial):
    result = trial("faulty", measures=EVERYTHING, fault="none")
    assert result["status"] == "ok"
    scores = result["scores"]["detected"]
    assert {f"n_undefined_{name}" for name in METRICS} <= set(scores)
    assert np.isnan(scores["faithfulness"])  # the attribution is 0 throughout
    assert scores["n_undefined_faithfulness"] == scores["n_rows"]
    assert scores["infidelity"] > 0
    assert result["seconds"] == pytest.approx(
        sum(result["cost"][part]["seconds"] for part in ("fit", "explain"))
    )
    assert result["normalised_time"] > 0


def test_controls_are_evaluated_by_the_score_too(trial):
    scores = trial("truth", measures=EVERYTHING)["scores"]["detected"]
    assert np.isfinite(scores["comprehensiveness"])
    assert scores["n_undefined_seed_agreement"] == scores["n_rows"]  # there is nothing to make anew


def test_an_explainer_that_would_end_the_run_is_a_failed_trial():
    result = contained(lambda: sys.exit(5))
    assert (result["status"], result["reason"]) == ("error", "SystemExit: 5")


@pytest.fixture
def without_mask():
    X = np.random.default_rng(0).standard_normal((60, 5))
    table = LabelledTable(X=X, y=np.arange(60) < 6)
    return Source("bare", 0, table, content_hash(table), "bare")


def test_without_ground_truth_metrics_of_the_score_are_there_and_the_others_are_undefined(without_mask):
    fitted = fit(without_mask, Component(name="distance"))
    chosen = Measures(("infidelity", "faithfulness_at_3"))
    result = run_trial(fitted, Component(name="z_score"), without_mask, chosen)
    assert result["status"] == "ok", result["traceback"]
    flagged = result["scores"]["flagged"]
    assert flagged["n_rows"] == result["scores"]["anomalies"]["n_rows"] == 6
    assert np.isfinite([flagged["infidelity"], flagged["faithfulness_at_3"]]).all()
    assert np.isnan([flagged[name] for name in ("ndcg_m", "adjusted_ndcg_m", "acc_m", "chance")]).all()
    truth = run_trial(fitted, Component(name="truth"), without_mask, chosen)
    assert (truth["status"], "has no ground truth" in truth["reason"]) == ("skipped", True)


def test_without_ground_truth_and_metrics_of_the_score_only_the_control_none_is_not_skipped(without_mask):
    fitted = fit(without_mask, Component(name="distance"))
    status = [run_trial(fitted, Component(name=name), without_mask)["status"] for name in ("none", "z_score")]
    assert status == ["ok", "skipped"]


def test_the_control_none_has_the_infidelity_of_no_attribution(without_mask, trial):
    fitted = fit(without_mask, Component(name="distance"))
    result = run_trial(fitted, Component(name="none"), without_mask, Measures(("infidelity",)))
    X = fitted.table.X[fitted.flag_probability == 1]
    expected = metrics.infidelity(np.zeros_like(X), X, fitted.detector.decision_function).mean()
    assert result["scores"]["flagged"]["infidelity"] == pytest.approx(expected)
    assert trial("none")["scores"]["detected"]["adjusted_ndcg_m"] == pytest.approx(0)
