"""Shapley values by coalitions of features."""

from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import NotApplicable
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.explainers.coalitions import _draw, _draw_pairs


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("name", ["exact_shapley", "leverage_shap"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 11])
def test_shapley_values_of_a_linear_score_are_known(name: str, d: int, score, explain) -> None:
    weights, background, X = np.arange(d) - 1.0, normal(80, d), normal(4, d, seed=1)
    values = explain(name, score(lambda X: X @ weights), background, X)
    assert_allclose(values, weights * (X - background.mean(axis=0)), atol=1e-8)


@pytest.mark.parametrize("d", [2, 5, 6])
def test_leverage_shap_is_exact_at_full_budget(d: int, score, explain) -> None:
    background, X = normal(20, d), normal(3, d, seed=1)
    curved = score(lambda X: np.abs(X).max(axis=1) * X[:, 0])
    full = explain("leverage_shap", curved, background, X, alpha=2**d / d)
    assert_allclose(full, explain("exact_shapley", curved, background, X), atol=1e-9)


def test_leverage_shap_comes_closer_with_more_coalitions(score, explain) -> None:
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


def test_exact_values_for_many_features_are_declined(score) -> None:
    with pytest.raises(NotApplicable, match="for at most 12 features, here are 13"):
        make_explainer("exact_shapley", random_state=0).fit(score(len), np.zeros((3, 13)))


def test_another_seed_is_another_background_and_other_coalitions(score) -> None:
    curved, rows = score(lambda X: X.prod(axis=1)), normal(300, 8)
    for name in ("exact_shapley", "leverage_shap"):
        first, second = (
            make_explainer(name, random_state=seed).fit(curved, rows).explain(rows[:2]) for seed in (0, 1)
        )
        assert (np.abs(first - second) > 1e-3).any()
