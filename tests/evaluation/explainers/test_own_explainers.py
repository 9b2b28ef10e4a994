"""The explainers written from papers, where their values are known; what all must keep is in contracts."""

from math import comb
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import Ridge

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, NotApplicable
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import EXPLAINERS, make_explainer
from xadbench.evaluation.explainers.coalitions import _draw, _draw_pairs
from xadbench.evaluation.explainers.surprise import _ridge

DETECTOR_FREE = (
    "z_score",
    "robust_z",
    "mahalanobis",
    "ecod",
    "copod",
    "hbos",
    "surprise_ridge",
    "surprise_boosting",
)
WITH_FOREST = ("diffi", "exiffi", "tree_shap")
WITH_SCORE = ("conditional_occlusion", "counterfactual", "leverage_shap", "exact_shapley")
OWN = DETECTOR_FREE + WITH_FOREST + WITH_SCORE


class Norm:
    """The score sum of squares, with a gradient, and a forest grown on other rows."""

    def __init__(self, background: FloatArray) -> None:
        self.forest_ = IsolationForest(n_estimators=10, random_state=0).fit(background)

    def decision_function(self, X: FloatArray) -> FloatArray:
        return (X**2).sum(axis=1)

    def score_tensor(self, x: torch.Tensor) -> torch.Tensor:
        return (x**2).sum(dim=1)


def score(function: Any) -> Any:
    return SimpleNamespace(decision_function=function)


def explain(name: str, detector: Any, background: FloatArray, X: Any, **params: Any) -> FloatArray:
    return make_explainer(name, random_state=0, **params).fit(detector, background).explain(np.asarray(X))


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


def chain(n: int, seed: int = 0) -> FloatArray:
    """Rows (n, 3) whose second column nearly equals the first."""
    X = normal(n, 3, seed=seed)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    return X


BROKEN = np.array([[1.5, -1.5, 0.0]])  # in no column remarkable, but the first two should be equal
FOREST = make_detector("iforest", random_state=0).fit(normal(500, 4))


# Degenerate backgrounds


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "background",
    [
        np.zeros((1, 1)),
        np.full((1, 3), 0.1),
        np.array([[0.0, 1.0], [2.0, -1.0]]),
        np.repeat(normal(3, 4), 20, axis=0),
        normal(40, 1),
        normal(5, 9),
        np.column_stack([normal(30, 2), np.full(30, 0.1), np.arange(30) > 26]),
        normal(60, 2)[:, [0, 1, 0]],
    ],
    ids=["cell", "row", "two rows", "duplicates", "one column", "wide", "constant, rare", "equal columns"],
)
def test_a_poor_background_gives_finite_attribution(name: str, background: FloatArray) -> None:
    params = {"max_iter": 5} if name == "surprise_boosting" else {}
    X = np.vstack([background[:3], background[:1] + 0.5, background[:1] - 7])
    assert np.isfinite(explain(name, Norm(background), background, X, **params)).all()


@pytest.mark.parametrize("name", sorted(set(DETECTOR_FREE) - {"copod"}))
def test_a_constant_is_ranked_for_a_change_and_for_nothing_else(name: str) -> None:
    background = np.column_stack([np.full(90, 0.1), normal(90, 2)])  # the mean of 0.1s may not be 0.1
    attributions = explain(name, None, background, [[0.1, 0.3, -0.2], [0.1001, 0.3, -0.2]])
    assert attributions[0, 0] == 0
    assert attributions[1].argmax() == 0


# One feature at a time


def test_robust_z_scores_by_hand() -> None:
    background = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [1000.0, 10.0]])
    attributions = explain("robust_z", None, background, [[5.0, 5.0]])
    assert_allclose(attributions, [[3 / 1.4826, 5 / (1.2533 * 2)]])


@pytest.mark.parametrize("name", ["ecod", "copod"])
def test_tails_sum_to_the_score_of_the_detector_on_the_row_alone(name: str) -> None:
    background = np.exp(normal(200, 4)) * [1, -1, 1, -1]  # skewness to either side
    X = np.vstack([background[:2], 2 * background[2:6], background[:1] + 5, background[:1] - 5])
    detector = make_detector(name, random_state=0).fit(background)
    pyod = detector.model
    alone = np.concatenate([pyod.decision_function(row[None]) for row in X])
    attributions = explain(name, detector, background, X)
    assert_allclose(attributions.sum(axis=1), alone)
    assert_allclose(detector.decision_function(X), alone)
    # The trap: in company, PyOD's own score is another.
    assert not np.allclose(pyod.decision_function(X), alone, rtol=1e-3)


def test_copod_halves_the_attribution_against_the_skewness() -> None:
    background = np.exp(normal(99, 1))
    attributions = explain("copod", None, background, [[1e3], [-1e3]])
    assert_allclose(attributions, [[np.log(100)], [np.log(100) / 2]])


def test_histograms_by_hand() -> None:
    background = np.array([[0.0], [0.1], [0.2], [0.3], [1.0], [2.0], [2.1], [3.0], [3.0]])
    attributions = explain("hbos", None, background, [[0.5], [1.5], [3.0], [3.01], [-0.01]])
    # Three bins with 4, 1 and 4 values, and the row's own.
    assert_allclose(attributions.ravel(), np.log([1, 2, 1, 4, 4]))


# All features together


def test_mahalanobis_shares_sum_to_the_squared_distance_and_ignore_units() -> None:
    background, X = chain(400), chain(9, seed=1)
    scale = np.array([1.0, 10.0, 0.1])
    values = make_explainer("mahalanobis", random_state=0).fit(None, background)
    detector = make_detector("mcd", random_state=0).fit(background)
    assert_allclose(values.explain(X).sum(axis=1), detector.decision_function(X), rtol=0.1)
    assert_allclose(explain("mahalanobis", None, background * scale, X * scale), values.explain(X), rtol=1e-6)


def test_mahalanobis_shares_are_the_shapley_values_of_the_squared_distance() -> None:
    explainer = make_explainer("mahalanobis", random_state=0).fit(None, chain(400))
    X = normal(3, 3, seed=1)
    distance = score(lambda rows: explainer.explain(rows).sum(axis=1))
    middle = explainer._centre[None]
    assert_allclose(explain("exact_shapley", distance, middle, X), explainer.explain(X), rtol=1e-6)


@pytest.mark.parametrize("columns", [3, 60])  # by the least determinant; wrapped and shrunk
def test_the_covariance_bears_wild_rows(columns: int) -> None:
    sound = np.hstack([chain(1800), normal(1800, columns - 3, seed=2)])
    wild = np.hstack([np.tile([8.0, -8.0, 0.0], (200, 1)), np.zeros((200, columns - 3))])
    polluted = np.vstack([sound, wild + 0.1 * normal(200, columns, seed=3)])
    row = np.hstack([BROKEN, np.zeros((1, columns - 3))])
    assert explain("mahalanobis", None, polluted, row).sum() > 0.5 * LedoitWolf().fit(sound).mahalanobis(row)
    assert LedoitWolf().fit(polluted).mahalanobis(row) < 1


def test_a_rare_category_is_no_wild_value() -> None:
    background = normal(2000, 60)
    background[:, 0] = np.arange(2000) % 100 == 0
    row = np.zeros((1, 60))
    row[0, 0] = 1.0
    rarity = explain("z_score", None, background, row)[0, 0] ** 2
    assert_allclose(explain("mahalanobis", None, background, row)[0, 0], rarity, rtol=0.5)


def test_few_rows_have_the_shrunk_covariance() -> None:
    order = normal(14, 3).argsort(axis=0)
    few = np.linspace(-1, 1, 14)[order]  # no value is far out
    shrunk = LedoitWolf().fit(few).mahalanobis(BROKEN)
    assert_allclose(explain("mahalanobis", None, few, BROKEN).sum(axis=1), shrunk)


@pytest.mark.parametrize("name", ["surprise_ridge", "surprise_boosting", "mahalanobis"])
def test_a_broken_dependence_is_seen_where_marginals_are_blind(name: str) -> None:
    background = chain(600)
    attributions = explain(name, None, background, BROKEN)[0]
    assert attributions[:2].min() > 3 * abs(attributions[2])
    assert explain("z_score", None, background, BROKEN).max() < 2


def test_boosting_sees_dependence_that_ridge_cannot() -> None:
    background = normal(900, 2)
    background[:, 1] = background[:, 0] ** 2 + 0.1 * background[:, 1]
    X = [[1.5, 0.0]]
    ridge, boosting = (
        explain(f"surprise_{kind}", None, background, X)[0, 1] for kind in ("ridge", "boosting")
    )
    assert ridge < 2
    assert boosting > 5


def test_boosting_keeps_the_predictors_that_matter() -> None:
    attributions = explain("surprise_boosting", None, chain(600), BROKEN, max_predictors=1)[0]
    assert attributions[:2].min() > 5 > attributions[2]


def test_one_inverse_holds_all_ridge_regressions() -> None:
    z = chain(50)
    values, vectors = np.linalg.eigh(z.T @ z / 50)
    residuals = z @ _ridge(values, vectors, 0.3)
    for i in range(3):
        others = np.delete(z, i, axis=1)
        fitted = Ridge(alpha=0.3 * 50, fit_intercept=False).fit(others, z[:, i])
        assert_allclose(residuals[:, i], z[:, i] - fitted.predict(others))


def test_surprise_of_background_rows_is_out_of_fold() -> None:
    background = normal(40, 30)  # one regression on all rows would fit them almost exactly
    attributions = explain(
        "surprise_ridge", None, background, np.vstack([background, normal(40, 30, seed=1)])
    )
    assert_allclose(attributions[:40].mean(), attributions[40:].mean(), rtol=0.2)


# Forests


def test_a_forest_is_offered_by_isolation_forests_alone() -> None:
    assert isinstance(FOREST.forest_, IsolationForest)
    knn = make_detector("knn", random_state=0).fit(normal(50, 2))
    for name in WITH_FOREST:
        with pytest.raises(InputError, match="needs a forest, and the detector has no forest_"):
            make_explainer(name, random_state=0).fit(knn, normal(50, 2))


@pytest.mark.parametrize("name", WITH_FOREST)
def test_forests_attribution_a_shifted_feature(name: str) -> None:
    X = normal(20, 4, seed=1) / 2
    X[:, 3] = 6
    assert_array_equal(explain(name, FOREST, normal(500, 4), X).argmax(axis=1), 3)


def test_tree_shap_sums_to_the_shortfall_of_the_path_and_so_rises_with_the_score() -> None:
    forest = FOREST.forest_
    X = normal(30, 4, seed=1) * 2
    n = forest.max_samples_
    c = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    length = -c * np.log2(-forest.score_samples(X))  # from Liu's score 2^(-h / c)
    shortfall = explain("tree_shap", FOREST, normal(500, 4), X).sum(axis=1)
    assert_allclose(np.ptp(shortfall + length), 0, atol=1e-6)
    assert np.corrcoef(shortfall, FOREST.decision_function(X))[0, 1] > 0.9


def test_diffi_and_exiffi_by_hand() -> None:
    # One tree on 4 rows: x_0 < 5 splits off one of them, then x_1 < 5 two of three; no row at depth 3.
    tree = SimpleNamespace(
        children_left=np.array([1, -1, 3, -1, -1]),
        children_right=np.array([2, -1, 4, -1, -1]),
        feature=np.array([0, -2, 1, -2, -2]),
        n_node_samples=np.array([4, 1, 3, 2, 1]),
        node_count=5,
        decision_path=lambda X: np.array([[1, 1, 0, 0, 0], [1, 0, 1, 1, 0], [1, 0, 1, 0, 1]]),
    )
    forest = SimpleNamespace(
        estimators_=[SimpleNamespace(tree_=tree)], estimators_features_=[np.array([2, 0])], max_samples_=8
    )
    detector = SimpleNamespace(forest_=forest)
    diffi, exiffi = (
        explain(name, detector, np.zeros((1, 3)), np.zeros((3, 3))) for name in ("diffi", "exiffi")
    )
    near, far = 1 - 1 / 3, 1 / 2 - 1 / 3
    assert_allclose(diffi, [[0, 0, near], [far, 0, far], [far, 0, far]])
    assert_allclose(exiffi, [[0, 0, 4 / 2], [3 / 3, 0, 4 / 4], [3 / 2, 0, 4 / 4]])


# Replaced values


def test_conditional_occlusion_redraws_given_the_other_features() -> None:
    background = chain(2000)
    gap = score(lambda X: np.abs(X[:, 0] - X[:, 1]))
    attributions = explain("conditional_occlusion", gap, background, BROKEN)[0]
    assert_allclose(attributions, [2.9, 2.9, 0.0], atol=0.25)
    # Values drawn regardless of the others would leave a gap of 1.6 or so.


def test_conditional_occlusion_is_the_same_whether_in_one_call_or_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    background, detector = chain(300), score(lambda X: np.abs(X[:, 0] * X[:, 1] - X[:, 2]))
    expected = explain("conditional_occlusion", detector, background, background[:4])
    monkeypatch.setattr("xadbench.evaluation.explainers.occlusion.CELLS_AT_ONCE", 1)
    assert_array_equal(explain("conditional_occlusion", detector, background, background[:4]), expected)


def test_neighbours_are_sought_among_normal_rows() -> None:
    background = np.vstack([normal(96, 2) / 10, np.tile([50.0, 3.0], (4, 1))])
    attributions = explain(
        "conditional_occlusion", Norm(background), background, [[50.0, 3.0]], n_neighbours=4
    )
    assert_allclose(attributions, [[2500, 9]], rtol=0.02)


def test_a_broken_constant_does_not_drown_the_distances() -> None:
    background = np.column_stack([chain(2000), np.ones(2000)])
    gap = score(lambda X: np.abs(X[:, 0] - X[:, 1]))
    attributions = explain("conditional_occlusion", gap, background, [[*BROKEN[0], 1e9]])
    assert_allclose(attributions, [[2.9, 2.9, 0.0, 0.0]], atol=0.25)


def test_the_counterfactual_of_a_linear_score_moves_the_cheapest_feature_alone() -> None:
    background, weights = normal(500, 3) * [1, 1, 5], torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    linear = SimpleNamespace(
        score_tensor=lambda x: x @ weights, decision_function=lambda X: X @ weights.numpy()
    )
    row = np.array([[4.0, 4.0, 10.0]])
    attributions = explain("counterfactual", linear, background, row)[0]
    threshold = np.quantile(background @ weights.numpy(), 0.95)
    needed = (22 - threshold) / background[:, 2].std()
    assert_array_equal(attributions[:2], 0)
    assert needed <= attributions[2] < needed + 4 / 20 + 1e-9
    assert_array_equal(explain("counterfactual", linear, background, np.zeros((1, 3))), 0)


# Coalitions


@pytest.mark.parametrize("name", ["exact_shapley", "leverage_shap"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 11])
def test_shapley_values_of_a_linear_score_are_known(name: str, d: int) -> None:
    weights, background, X = np.arange(d) - 1.0, normal(80, d), normal(4, d, seed=1)
    values = explain(name, score(lambda X: X @ weights), background, X)
    assert_allclose(values, weights * (X - background.mean(axis=0)), atol=1e-8)


@pytest.mark.parametrize("d", [2, 5, 6])
def test_leverage_shap_is_exact_at_full_budget(d: int) -> None:
    background, X = normal(20, d), normal(3, d, seed=1)
    curved = score(lambda X: np.abs(X).max(axis=1) * X[:, 0])
    full = explain("leverage_shap", curved, background, X, alpha=2**d / d)
    assert_allclose(full, explain("exact_shapley", curved, background, X), atol=1e-9)


def test_leverage_shap_comes_closer_with_more_coalitions() -> None:
    background, X = normal(20, 12), normal(6, 12, seed=1)
    curved = score(lambda X: np.abs(X).max(axis=1) * X[:, 0])
    exact = explain("exact_shapley", curved, background, X)
    errors = [
        np.abs(explain("leverage_shap", curved, background, X, alpha=alpha) - exact).mean()
        for alpha in (3, 20, 100)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    sums = explain("leverage_shap", curved, background, X).sum(axis=1)
    assert_allclose(sums, exact.sum(axis=1))


@pytest.mark.parametrize(("d", "n_pairs"), [(5, 9), (6, 20), (12, 40), (40, 100), (1000, 1200)])
def test_pairs_of_coalitions_come_once_and_evenly_over_sizes(d: int, n_pairs: int) -> None:
    pairs, weights = _draw_pairs(d, n_pairs, np.random.default_rng(0))
    assert abs(len(pairs) - n_pairs) <= 1
    assert len(np.unique(np.vstack([pairs, ~pairs]), axis=0)) == 2 * len(pairs)
    counts = np.bincount(pairs.sum(axis=1), minlength=d // 2 + 1)
    free = [count for s, count in enumerate(counts.tolist()) if 0 < s < d / 2 and count < comb(d, s)]
    assert max(free, default=0) - min(free, default=0) <= 1
    assert (weights > 0).all()


@pytest.mark.parametrize(("size", "count"), [(2, 15), (3, 10)])
def test_too_many_coalitions_to_list_are_drawn_without_repetition(
    size: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xadbench.evaluation.explainers.coalitions.MAX_LISTED", 0)
    drawn = _draw(6, size, count, np.random.default_rng(0))
    assert_array_equal(drawn.sum(axis=1), size)
    assert len(np.unique(np.vstack([drawn, ~drawn]), axis=0)) == 2 * count


def test_exact_values_for_many_features_are_declined() -> None:
    with pytest.raises(NotApplicable, match="for at most 12 features, here are 13"):
        make_explainer("exact_shapley", random_state=0).fit(score(len), np.zeros((3, 13)))


def test_another_seed_is_another_background_and_other_coalitions() -> None:
    curved, rows = score(lambda X: X.prod(axis=1)), normal(300, 8)
    for name in ("exact_shapley", "leverage_shap"):
        first, second = (
            make_explainer(name, random_state=seed).fit(curved, rows).explain(rows[:2]) for seed in (0, 1)
        )
        assert (np.abs(first - second) > 1e-3).any()


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("surprise_ridge", {"n_folds": 1}, "n_folds is 1, expected an integer of at least 2"),
        ("surprise_boosting", {"max_iter": 0}, "max_iter is 0"),
        ("surprise_boosting", {"max_predictors": 0}, "max_predictors is 0"),
        ("conditional_occlusion", {"n_neighbours": 0}, "n_neighbours is 0"),
        ("counterfactual", {"max_steps": 0}, "max_steps is 0"),
        ("leverage_shap", {"alpha": 1.0}, r"alpha is 1.0, expected a finite number of at least 2"),
        ("leverage_shap", {"alpha": float("inf")}, r"alpha is inf, expected a finite number of at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_explainer(name, random_state=0, **params)


def test_all_are_registered() -> None:
    assert set(OWN) <= set(EXPLAINERS)
