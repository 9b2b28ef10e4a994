import dataclasses
import re
import sys
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError, LabelledTable, content_hash
from xadbench.evaluation import metrics, score_explainer
from xadbench.evaluation.components import registry
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import EXPLAINERS, ZScore, as_explainer, make_explainer
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import Source, load_source
from xadbench.evaluation.trial import explain as explaining
from xadbench.evaluation.trial.evaluate import score_attributions
from xadbench.evaluation.trial.fit import Fitted, ceiling, fit
from xadbench.evaluation.trial.key import trial_key
from xadbench.evaluation.trial.outcome import contained
from xadbench.evaluation.trial.run import run_trial
from xadbench.evaluation.trial.scopes import RANKED, SCOPES, Measures

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


def trial(explainer, spec=RECIPE, measures=RANKED, **params):
    """Run one trial of the stand-in detector."""
    source = load_source(spec, 0)
    fitted = fit(source, Component(name="distance"))
    return run_trial(fitted, Component(name=explainer, params=params), source, measures)


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
        ("random", TableSpec(dataset="bundled:wine"), "the table has no ground truth"),
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


@pytest.mark.parametrize(
    ("detector", "explainer"), [("distance", "kernel_shap"), ("iforest", "z_score"), ("distance", "z_score")]
)
def test_the_key_sees_the_version_of_a_library_that_does_the_work(monkeypatch, detector, explainer):
    def key():
        return trial_key(load_source(RECIPE, 0), Component(name=detector), Component(name=explainer))

    before = key()
    monkeypatch.setattr(registry, "_installed", lambda library: "99")
    assert (key() == before) == ((detector, explainer) == ("distance", "z_score"))


def test_a_function_is_scored_as_an_explainer():
    fitted = fit(load_source(RECIPE, 0), Component(name="distance"))
    scores = score_explainer(lambda detector, background, X: np.abs(X), fitted.detector, fitted.table)
    by_name = trial("z_score", measures=EVERYTHING)["scores"]
    chosen = Measures(("max_sensitivity", "faithfulness"), fill_value="median")
    again = score_explainer(
        lambda detector, background, X: np.abs(X), fitted.detector, fitted.table, measures=chosen
    )
    for name in chosen.names:
        assert again["detected"][name] == pytest.approx(by_name["detected"][name])
    assert scores["detected"]["ndcg_m"] == pytest.approx(by_name["detected"]["ndcg_m"])


@pytest.fixture
def of_recipe():
    return fit(load_source(RECIPE, 0), Component(name="distance"))


def test_names_and_classes_are_scored_as_what_they_make(of_recipe):
    fitted, table = of_recipe, of_recipe.table
    made = score_explainer(make_explainer("z_score", random_state=0), fitted.detector, table)
    assert list(made) == list(SCOPES)
    assert made["detected"]["n_rows"] > 0
    for explainer in ("z_score", ZScore):
        pd.testing.assert_frame_equal(score_explainer(explainer, fitted.detector, table), made)
    own = make_detector("iforest", random_state=0).fit(table.X)
    by_name = score_explainer("z_score", "iforest", table)
    pd.testing.assert_frame_equal(by_name, score_explainer("z_score", own, table))


@pytest.mark.parametrize(
    ("explainer", "detector", "match"),
    [
        ("zscore", "iforest", "z_score"),
        ("z_score", "forest", "iforest"),
        ("z_score", 3, "decision_function"),
        ("saliency", "iforest", "gradient"),
    ],
)
def test_what_cannot_be_scored_is_named(of_recipe, explainer, detector, match):
    with pytest.raises(InputError, match=match):
        score_explainer(explainer, detector, of_recipe.table)


def test_an_array_cannot_be_scored_on():
    with pytest.raises(InputError, match="of type ndarray"):
        score_explainer("z_score", "iforest", np.eye(3))


def test_scoring_needs_a_table_with_ground_truth(fitted):
    bare = dataclasses.replace(fitted.table, mask=None)
    with pytest.raises(InputError, match="has no ground truth"):
        score_explainer(None, None, bare)


EVERYTHING = Measures(tuple(METRICS), fill_value="median")


def test_only_ground_truth_metrics_count_a_false_positive_as_0(fitted, stand_ins):
    fitted = dataclasses.replace(fitted, detector=stand_ins.Distance().fit(fitted.table.X))
    rows, X = np.array([0, 1, 2]), fitted.table.X
    attributions = (X[rows] - X.mean(axis=0)) ** 2 + np.arange(3)
    scores = score_attributions(attributions, rows, fitted, Measures(("faithfulness", "infidelity")))[
        "flagged"
    ]
    values = metrics.infidelity(attributions, X[rows], fitted.detector.decision_function)
    assert scores["infidelity"] == pytest.approx(
        values[[0, 2]].mean()
    )  # the second row is the false positive
    assert not {"adjusted_infidelity", "adjusted_faithfulness"} & set(scores)
    truth = score_attributions(fitted.table.mask[:3].astype(float), rows, fitted)["flagged"]
    for name in ("reciprocal_rank", "cell_average_precision", "cell_auc_roc"):
        assert truth[name] == truth[f"adjusted_{name}"] == 0.5
        assert 0 < truth[f"chance_{name}"] < 0.5
        assert truth[f"n_undefined_{name}"] == 0


def test_undefined_rows_are_counted_and_left_out(fitted):
    everything = np.array([[1, 1, 1], [0, 1, 1], [0] * 3, [0] * 3], dtype=bool)
    fitted = dataclasses.replace(fitted, table=dataclasses.replace(fitted.table, mask=everything))
    scores = scores_of(fitted, everything[:3])["anomalies"]
    assert scores["n_undefined_cell_auc_roc"] == 1  # all of a row's features are responsible
    assert scores["cell_auc_roc"] == 1
    assert scores["n_undefined_graded_ndcg_m"] == 2  # there is no clean twin
    assert np.isnan(scores["graded_ndcg_m"])


def test_deviations_are_from_the_clean_twin_in_standard_deviations(fitted):
    clean = fitted.table.X - np.where(fitted.table.mask, [[2.0, 4.0, 8.0]], 0)
    fitted = dataclasses.replace(fitted, table=dataclasses.replace(fitted.table, clean=clean))
    attributions = [
        [1, 0, 0],
        [0, 1, 2],
        [0, 0, 0],
    ]  # finds the second row's larger ground-truth feature first
    scores = scores_of(fitted, attributions)["anomalies"]
    assert scores["graded_ndcg_m"] == 1
    swapped = scores_of(fitted, [[1, 0, 0], [0, 2, 1], [0, 0, 0]])["anomalies"]
    by_hand = metrics.graded_ndcg_m(np.array([[0.0, 2.0, 1.0]]), np.array([[0.0, 4.0, 8.0]]))[0]
    assert swapped["graded_ndcg_m"] == pytest.approx((1 + by_hand) / 2)


def test_a_blind_guess_stays_within_the_declared_spread():
    fitted = fit(load_source(RECIPE, 0), Component(name="distance"))
    rows = fitted.rows_to_explain()
    z = []
    for seed in range(40):
        attributions = np.random.default_rng(seed).random((len(rows), 10))
        scores = score_attributions(attributions, rows, fitted)["anomalies"]
        names = [metric.name for metric in metrics.RANKING]
        z.append([(scores[n] - scores[f"chance_{n}"]) / scores[f"chance_std_{n}"] for n in names])
    assert (np.abs(np.mean(z, axis=0)) < 5 / 40**0.5).all()
    assert (np.abs(np.std(z, axis=0) - 1) < 0.5).all()


def test_all_metrics_of_a_trial_and_its_cost():
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


def test_rows_scored_are_counted_where_they_are_scored():
    cost = trial("kernel_shap")["cost"]
    background, coalitions = 100, 20
    assert 1 <= cost["fit"]["rows_scored"] <= 2 * background  # shap scores one row more than once
    n_explained = len(fit(load_source(RECIPE, 0), Component(name="distance")).rows_to_explain())
    assert cost["explain"]["rows_scored"] >= n_explained * coalitions * background


def test_the_first_trial_alone_warms_up(stand_ins, monkeypatch):
    monkeypatch.setattr(explaining, "TIMINGS", 1)
    for n_calls in (2, 3, 4):
        trial("faulty", fault="none")
        assert stand_ins.Faulty.n_calls == n_calls


@pytest.mark.parametrize(
    ("brief", "most_seconds", "n_calls"),
    [(np.inf, np.inf, explaining.TIMINGS), (0.0, np.inf, 1), (np.inf, 0.0, 1)],
)
def test_what_is_brief_is_timed_several_times(stand_ins, monkeypatch, brief, most_seconds, n_calls):
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
    def metered(rows):
        with real(rows) as cost:
            yield cost
        cost.seconds, cost.cpu_seconds = 0.0, next(seconds)

    monkeypatch.setattr(metrics, "metered", metered)
    monkeypatch.setattr(explaining, "BRIEF", np.inf)
    monkeypatch.setattr(explaining, "TIMINGS", 3)
    summed = dataclasses.replace(fitted, detector=Sum())
    _, costs = explaining.explain_at_cost(ByScore(), summed, np.array([0, 2]))
    assert (costs["fit"].cpu_seconds, costs["explain"].cpu_seconds) == (3.0, 2.0)
    assert costs["explain"].rows_scored == 2


def test_controls_are_evaluated_by_the_score_too():
    scores = trial("truth", measures=EVERYTHING)["scores"]["detected"]
    assert np.isfinite(scores["comprehensiveness"])
    assert scores["n_undefined_seed_agreement"] == scores["n_rows"]  # there is nothing to make anew


def test_the_key_sees_metrics_and_baseline_where_they_matter(monkeypatch):
    source, detector, explainer = load_source(RECIPE, 0), Component(name="distance"), Component(name="random")

    def key(*names, fill_value="mean"):
        return trial_key(source, detector, explainer, Measures(names, fill_value))

    def all_keys():
        return [key(), key("infidelity"), key("fidelity"), key("fidelity", fill_value="median")]

    keys = all_keys()
    assert len(set(keys)) == 4
    assert key("ndcg_m", fill_value="median") == keys[0]
    monkeypatch.setitem(METRICS, "fidelity", dataclasses.replace(METRICS["fidelity"], version=2))
    assert [a == b for a, b in zip(all_keys(), keys, strict=True)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ("faith",)}, "unknown metric 'faith'"),
        ({"fill_value": "zero"}, "unknown fill_value 'zero'"),
    ],
)
def test_unknown_measures_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        Measures(**settings)


def test_kinds_make_up_their_scope():
    result = trial("z_score")
    for scope, of_kinds in result["scores_by_kind"].items():
        whole, kinds = result["scores"][scope], list(of_kinds.values())
        assert set(of_kinds) == {"global", "cluster", "local"}
        for name in ("n_rows", "n_informative"):
            assert sum(kind[name] for kind in kinds) == whole[name]
        for name, weight in (
            ("ndcg_m", "n_rows"),
            ("chance", "n_rows"),
            ("adjusted_ndcg_m", "n_informative"),
        ):
            parts = [kind[name] * kind[weight] for kind in kinds if kind[weight]]
            assert sum(parts) / whole[weight] == pytest.approx(whole[name])


def test_a_curve_of_mean_scores_has_the_score_as_its_mean():
    result = trial("z_score", measures=Measures(("comprehensiveness",)))
    for scope, curves in result["scores_at_k"].items():
        assert set(curves) == {"comprehensiveness"}
        assert len(curves["comprehensiveness"]) == len(metrics.set_sizes(10))
        mean = result["scores"][scope]["comprehensiveness"]
        assert np.mean(curves["comprehensiveness"]) == pytest.approx(mean)
    assert "scores_at_k" not in trial("z_score")


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


def test_the_control_none_has_the_infidelity_of_no_attribution(without_mask):
    fitted = fit(without_mask, Component(name="distance"))
    result = run_trial(fitted, Component(name="none"), without_mask, Measures(("infidelity",)))
    X = fitted.table.X[fitted.flagged]
    expected = metrics.infidelity(np.zeros_like(X), X, fitted.detector.decision_function).mean()
    assert result["scores"]["flagged"]["infidelity"] == pytest.approx(expected)
    assert trial("none")["scores"]["detected"]["adjusted_ndcg_m"] == pytest.approx(0)


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


def test_explainers_get_the_training_rows_as_background():
    seen = []
    source = load_source(HALF, 0)
    fitted = fit(source, Component(name="distance"))
    explaining.explain(
        as_explainer(lambda _, background, X: seen.append(background) or X), fitted, np.arange(3)
    )
    np.testing.assert_array_equal(seen[0], fitted.background)


def test_the_training_rows_are_part_of_the_key():
    source, distance, random = load_source(HALF, 0), Component(name="distance"), Component(name="random")
    others = dataclasses.replace(source, training=source.training.rows(np.arange(50)))
    keys = [
        trial_key(one, distance, random)
        for one in (source, others, dataclasses.replace(source, training=None))
    ]
    assert len(set(keys)) == 3


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
