"""Scores of attributions, by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError, LabelledTable
from xadbench.evaluation import metrics, score_explainer
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import ZScore, make_explainer
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial.evaluate import evaluate, score_attributions
from xadbench.evaluation.trial.fit import Fitted, fit
from xadbench.evaluation.trial.scopes import SCOPES, Measures

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


def test_the_scopes_hold_their_rows(fitted, scores_of):
    assert fitted.flag_probability.tolist() == [1, 0, 1, 0]
    assert fitted.rows_to_explain().tolist() == [0, 1, 2]
    scores = scores_of(fitted, fitted.table.mask[:3])
    assert {scope: values["n_rows"] for scope, values in scores.items()} == {
        "anomalies": 2,
        "detected": 1,
        "flagged": 2,
    }


def test_rows_tied_at_the_cut_count_by_their_probability(fitted, scores_of):
    tied = dataclasses.replace(fitted, scores=np.array([3.0, 2.0, 2.0, 1.0]))
    assert tied.flag_probability.tolist() == [1, 0.5, 0.5, 0]
    scores = scores_of(tied, [[1, 0, 0], [2, 1, 0], [0, 0, 0]])  # all right in one row, half in the other
    assert {scope: of["n_rows"] for scope, of in scores.items()} == {
        "anomalies": 2,
        "detected": 1.5,
        "flagged": 2,
    }
    assert scores["detected"]["n_informative"] == 1.5
    assert scores["detected"]["acc_m"] == pytest.approx((1 + 0.5 * 0.5) / 1.5)
    assert scores["flagged"]["acc_m"] == pytest.approx((1 + 0.5 * 0.5) / 2)
    assert scores["detected"]["chance"] == pytest.approx((1 / 3 + 0.5 * 2 / 3) / 1.5)
    explained = metrics.Explained(np.ones((2, 3)), tied.table.mask[:2])
    variances = METRICS["acc_m"].chance_variance(explained)
    expected = np.sqrt(variances @ [1, 0.25]) / 1.5
    assert scores["detected"]["chance_std_acc_m"] == pytest.approx(expected)


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_the_weights_are_the_shares_of_the_orders_of_ties_and_give_the_f1_at_n(levels, of_recipe):
    rng = np.random.default_rng(levels)
    fitted = dataclasses.replace(of_recipe, scores=rng.integers(levels, size=200).astype(float))
    y, n = fitted.table.y, int(fitted.table.y.sum())
    shuffles = [rng.permutation(200) for _ in range(2000)]
    chosen = [order[np.argsort(-fitted.scores[order], kind="stable")[:n]] for order in shuffles]
    shares = np.bincount(np.concatenate(chosen), minlength=200) / 2000
    np.testing.assert_allclose(fitted.flag_probability, shares, atol=0.06)
    assert fitted.flag_probability[y].mean() == pytest.approx(metrics.f1_at_n(fitted.scores, y))
    assert set(np.flatnonzero(shares)) <= set(fitted.rows_to_explain())


def test_a_table_without_anomalies_flags_no_row(fitted):
    normal = LabelledTable(X=fitted.table.X, y=np.zeros(4, dtype=bool))
    assert not dataclasses.replace(fitted, table=normal).rows_to_explain().size


@pytest.fixture
def tied(stand_ins):
    """Twenty-four rows, many of them equal, whose scores have three levels."""
    rng = np.random.default_rng(0)
    X = rng.integers(-2, 3, size=(8, 5))[rng.integers(8, size=24)].astype(float)
    y = np.arange(24) < 9
    mask = y[:, None] & (rng.random((24, 5)) < 0.5)
    mask[y, 0] = True
    kind = np.where(y, 1 + np.arange(24) % 2, 0)
    table = LabelledTable(
        X=X, y=y, mask=mask, clean=X - mask, kind=kind.astype(np.int8), kinds=("normal", "odd", "even")
    )
    return Fitted(stand_ins.Distance().fit(X), table, rng.integers(3, size=24).astype(float), 0.0)


@pytest.mark.parametrize("fill_value", sorted(metrics.FILL_VALUES))
def test_no_metric_depends_on_the_order_of_the_rows(tied, fill_value):
    names = tuple(name for name in METRICS if name not in {f"faithfulness_at_{k}" for k in range(5, 32)})
    measures = Measures(names, fill_value=fill_value)

    def attributions(seed, X):
        return np.round(np.sin(X + seed), 1)

    def evaluation(fitted):
        rows = fitted.rows_to_explain()
        X = fitted.table.X[rows]
        again = {"explain": lambda X: attributions(0, X), "explain_with_seed": attributions}
        return evaluate(attributions(0, X), rows, fitted, measures, **again)

    expected = flat(evaluation(tied))
    assert 0 < expected["scores", "detected", "n_rows", 0] % 1 < 1  # ties at the cut
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(24)
        parts = {name: getattr(tied.table, name)[order] for name in ("X", "y", "mask", "clean", "kind")}
        table = dataclasses.replace(tied.table, **parts)
        permuted = dataclasses.replace(tied, table=table, scores=tied.scores[order])
        assert flat(evaluation(permuted)) == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def flat(evaluation):
    """Return all that an evaluation says of its rows together."""
    parts = {"scores": evaluation.scores(), "at_k": evaluation.mean_curves()}
    parts |= evaluation.by_kind()
    return {
        (part, group, name, i): value
        for part, groups in parts.items()
        for group, values in groups.items()
        for name, of in values.items()
        for i, value in enumerate(np.atleast_1d(of))
    }


def test_a_false_positive_counts_0_in_the_flagged_scope_alone(fitted, scores_of):
    scores = scores_of(fitted, fitted.table.mask[:3])
    for name in ("ndcg_m", "acc_m", "adjusted_ndcg_m", "adjusted_acc_m"):
        assert scores["anomalies"][name] == scores["detected"][name] == 1
        assert scores["flagged"][name] == 0.5


def test_a_blind_guess_gets_the_chance_level(fitted, scores_of):
    scores = scores_of(fitted, np.ones((3, 3)))
    assert scores["anomalies"]["chance"] == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert scores["anomalies"]["acc_m"] == pytest.approx(scores["anomalies"]["chance"])
    assert scores["anomalies"]["adjusted_ndcg_m"] == pytest.approx(0)
    assert scores["flagged"]["acc_m"] == pytest.approx(scores["flagged"]["chance"])


def test_rows_with_all_features_at_fault_stay_out_of_the_adjusted_means(fitted, scores_of):
    table = dataclasses.replace(fitted.table, mask=np.array([[1, 1, 1], [0, 1, 1], [0] * 3, [0] * 3]))
    scores = scores_of(dataclasses.replace(fitted, table=table), ~table.mask[:3])
    assert scores["anomalies"]["n_informative"] == 1
    assert scores["anomalies"]["adjusted_acc_m"] < 0
    assert scores["detected"]["n_informative"] == 0
    assert np.isnan(scores["detected"]["adjusted_acc_m"])


def test_an_empty_scope_has_no_score(fitted):
    missed = dataclasses.replace(fitted, scores=np.array([1.0, 2.0, 4.0, 3.0]))
    assert np.isnan(score_attributions(np.ones((4, 3)), np.arange(4), missed)["detected"]["ndcg_m"])


def test_a_function_is_scored_as_an_explainer(trial):
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


def test_undefined_rows_are_counted_and_left_out(fitted, scores_of):
    everything = np.array([[1, 1, 1], [0, 1, 1], [0] * 3, [0] * 3], dtype=bool)
    fitted = dataclasses.replace(fitted, table=dataclasses.replace(fitted.table, mask=everything))
    scores = scores_of(fitted, everything[:3])["anomalies"]
    assert scores["n_undefined_cell_auc_roc"] == 1  # all of a row's features are responsible
    assert scores["cell_auc_roc"] == 1
    assert scores["n_undefined_graded_ndcg_m"] == 2  # there is no clean twin
    assert np.isnan(scores["graded_ndcg_m"])


def test_deviations_are_from_the_clean_twin_in_standard_deviations(fitted, scores_of):
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


def test_equal_rows_are_one_blind_guess(of_recipe):
    table = of_recipe.table
    order = np.concatenate([np.flatnonzero(table.y)[:3].repeat([1, 4, 40]), np.flatnonzero(~table.y)[:40]])
    parts = {name: getattr(table, name)[order] for name in ("X", "y", "mask", "clean", "kind")}
    scores = np.arange(85.0)[::-1]
    fitted = dataclasses.replace(of_recipe, table=dataclasses.replace(table, **parts), scores=scores)
    rows, rng = fitted.rows_to_explain(), np.random.default_rng(0)
    names = [metric.name for metric in metrics.RANKING]
    guesses = []
    for _ in range(200):
        guess = rng.random((3, 10)).repeat([1, 4, 40], axis=0)
        guesses.append(score_attributions(guess, rows, fitted)["anomalies"])
    spread = np.std([[of[name] for name in names] for of in guesses], axis=0)
    expected = np.array([guesses[0][f"chance_std_{name}"] for name in names])
    is_known = expected > 0
    assert is_known.any()
    np.testing.assert_allclose(spread[is_known], expected[is_known], rtol=0.25)


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


def test_kinds_make_up_their_scope(trial):
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


def test_a_share_of_the_score_is_pooled_over_the_rows_of_a_scope(of_recipe):
    fitted, rows = of_recipe, of_recipe.rows_to_explain()
    measures, X = Measures(("sufficiency",)), of_recipe.table.X[of_recipe.rows_to_explain()]
    evaluation = evaluate(np.abs(X), rows, fitted, measures)
    parts, scores = evaluation.per_row["sufficiency"], evaluation.scores()
    for scope, weights in evaluation.scopes.items():
        ratio = np.nansum(weights * parts[""]) / np.nansum(weights * parts["total"])
        assert scores[scope]["sufficiency"] == pytest.approx(ratio)
        assert scores[scope]["low_sufficiency"] < ratio < scores[scope]["high_sufficiency"]


def test_equal_rows_narrow_no_interval_and_no_spread_of_chance(of_recipe):
    table, measures = of_recipe.table, Measures(("comprehensiveness",))
    order = np.concatenate([np.arange(table.n_rows)] * 3)
    parts = {name: getattr(table, name)[order] for name in ("X", "y", "mask", "clean", "kind")}
    thrice = dataclasses.replace(table, **parts)
    repeated = dataclasses.replace(of_recipe, table=thrice, scores=of_recipe.scores[order])
    once, again = (
        score_attributions(np.abs(of.table.X), np.arange(of.table.n_rows), of, measures)["detected"]
        for of in (of_recipe, repeated)
    )
    stds = [name for name in once if name.startswith("chance_std_")]
    for name in ("comprehensiveness", "low_comprehensiveness", "high_comprehensiveness", *stds):
        assert again[name] == pytest.approx(once[name])


def test_a_curve_of_mean_scores_has_the_score_as_its_mean(trial):
    result = trial("z_score", measures=Measures(("comprehensiveness",)))
    for scope, curves in result["scores_at_k"].items():
        assert set(curves) == {"comprehensiveness"}
        assert len(curves["comprehensiveness"]) == len(metrics.set_sizes(10))
        mean = result["scores"][scope]["comprehensiveness"]
        assert np.mean(curves["comprehensiveness"]) == pytest.approx(mean)
    assert "scores_at_k" not in trial("z_score")
