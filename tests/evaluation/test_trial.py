import dataclasses
import re

import numpy as np
import pytest

from xadbench.datasets import InputError, LabelledTable
from xadbench.evaluation import score_explainer
from xadbench.evaluation.source import load_source
from xadbench.evaluation.suite import Component, TableSpec
from xadbench.evaluation.trial import (
    Fitted,
    ceiling,
    fit,
    run_trial,
    score_attributions,
    trial_key,
)

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


@pytest.fixture
def fitted():
    """Four rows: a true anomaly that is flagged, one that is missed, a false positive, a normal row."""
    mask = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)
    table = LabelledTable(X=np.arange(12.0).reshape(4, 3), y=mask.any(axis=1), mask=mask)
    return Fitted(detector=None, table=table, scores=np.array([4.0, 1.0, 3.0, 2.0]), seconds=0.0)


def scores_of(fitted, attributions):
    return score_attributions(np.asarray(attributions, dtype=float), np.array([0, 1, 2]), fitted)


def test_the_scopes_hold_their_rows(fitted):
    assert fitted.flagged.tolist() == [0, 2]
    assert fitted.rows_to_explain().tolist() == [0, 1, 2]
    scores = scores_of(fitted, fitted.table.mask[:3])
    assert {scope: values["n_rows"] for scope, values in scores.items()} == {
        "anomalies": 2,
        "detected": 1,
        "flagged": 2,
    }


def test_a_false_positive_counts_0_in_the_flagged_scope_alone(fitted):
    scores = scores_of(fitted, fitted.table.mask[:3])
    for name in ("ndcg_m", "acc_m", "adjusted_ndcg_m", "adjusted_acc_m"):
        assert scores["anomalies"][name] == scores["detected"][name] == 1
        assert scores["flagged"][name] == 0.5


def test_a_blind_guess_gets_the_chance_level(fitted):
    scores = scores_of(fitted, np.ones((3, 3)))
    assert scores["anomalies"]["chance"] == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert scores["anomalies"]["acc_m"] == pytest.approx(scores["anomalies"]["chance"])
    assert scores["anomalies"]["adjusted_ndcg_m"] == pytest.approx(0)
    assert scores["flagged"]["acc_m"] == pytest.approx(scores["flagged"]["chance"])


def test_rows_with_all_features_at_fault_stay_out_of_the_adjusted_means(fitted):
    table = dataclasses.replace(fitted.table, mask=np.array([[1, 1, 1], [0, 1, 1], [0] * 3, [0] * 3]))
    scores = scores_of(dataclasses.replace(fitted, table=table), ~table.mask[:3])
    assert scores["anomalies"]["n_informative"] == 1
    assert scores["anomalies"]["adjusted_acc_m"] < 0
    assert scores["detected"]["n_informative"] == 0
    assert np.isnan(scores["detected"]["adjusted_acc_m"])


def test_an_empty_scope_has_no_score(fitted):
    missed = dataclasses.replace(fitted, scores=np.array([1.0, 2.0, 4.0, 3.0]))
    assert np.isnan(score_attributions(np.ones((4, 3)), np.arange(4), missed)["detected"]["ndcg_m"])


def trial(explainer, spec=RECIPE, **params):
    """Run one trial of the stand-in detector."""
    source = load_source(spec, 0)
    fitted = fit(source, Component(name="distance"))
    return run_trial(fitted, Component(name=explainer, params=params), source)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "RuntimeError: out of cheese"),
        ("nan", r"ValueError: \d+ attribution\(s\) are NaN or infinite"),
        ("shape", r"ValueError: attributions have shape \(\d+, 9\), expected \(\d+, 10\)"),
    ],
)
def test_a_faulty_explainer_is_an_error_with_its_reason(fault, reason):
    result = trial("faulty", fault=fault)
    assert result["status"] == "error"
    assert re.fullmatch(reason, result["reason"])
    assert "Traceback" in result["traceback"]


@pytest.mark.parametrize(
    ("explainer", "spec", "reason"),
    [
        ("saliency", RECIPE, "gradient"),
        ("random", TableSpec(dataset="bundled:wine"), "the table does not name its culprits"),
        ("oracle", TableSpec(dataset="bundled:wine", inject={"ratio": 0.2}), "the network .* is not known"),
    ],
)
def test_what_cannot_be_explained_is_skipped_with_the_reason(explainer, spec, reason):
    result = trial(explainer, spec)
    assert result["status"] == "skipped"
    assert re.search(reason, result["reason"])


def test_the_controls_mark_the_ends_of_the_scale():
    scores = {
        name: trial(name)["scores"]["anomalies"]["adjusted_ndcg_m"]
        for name in ("truth", "oracle", "random", "inverted_truth")
    }
    assert list(scores) == sorted(scores, key=scores.get, reverse=True)
    assert scores["truth"] == 1
    assert scores["oracle"] > 0.5


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


def test_the_key_sees_all_that_determines_the_result():
    a, b = load_source(RECIPE, 0), load_source(RECIPE, 1)
    plain, random = Component(name="distance"), Component(name="random")
    keys = {
        trial_key(a, plain, random),
        trial_key(b, plain, random),
        trial_key(a, plain, Component(name="z_score")),
        trial_key(a, Component(name="iforest"), random),
        trial_key(a, plain, Component(name="faulty", params={"fault": "none"})),
        trial_key(a, plain, Component(name="faulty")),
    }
    assert len(keys) == 6
    assert trial_key(a, plain, random) == trial_key(load_source(RECIPE, 0), plain, random)


def test_the_key_sees_the_version_of_a_detector_inside(monkeypatch):
    from xadbench.dsil import DTE  # noqa: PLC0415  # torch takes a second to import

    source, random = load_source(RECIPE, 0), Component(name="random")
    before = trial_key(source, Component(name="dsil_fixed"), random)
    monkeypatch.setattr(DTE, "version", 99)
    assert trial_key(source, Component(name="dsil_fixed"), random) != before


def test_a_function_is_scored_as_an_explainer():
    fitted = fit(load_source(RECIPE, 0), Component(name="distance"))
    scores = score_explainer(lambda detector, background, X: np.abs(X), fitted.detector, fitted.table)
    by_name = trial("z_score")["scores"]
    assert scores["detected"]["ndcg_m"] == pytest.approx(by_name["detected"]["ndcg_m"])


def test_scoring_needs_a_table_with_culprits(fitted):
    bare = dataclasses.replace(fitted.table, mask=None)
    with pytest.raises(InputError, match="does not name its culprits"):
        score_explainer(None, None, bare)
