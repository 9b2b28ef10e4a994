"""Explainers that replace values: conditional occlusion and counterfactuals."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.common.arrays import FloatArray


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


BROKEN = np.array([[1.5, -1.5, 0.0]])  # in no column remarkable, but the first two should be equal


def test_conditional_occlusion_redraws_given_the_other_features(score, explain, chain) -> None:
    background = chain(2000)
    gap = score(lambda X: np.abs(X[:, 0] - X[:, 1]))
    attributions = explain("conditional_occlusion", gap, background, BROKEN)[0]
    assert_allclose(attributions, [2.9, 2.9, 0.0], atol=0.25)


def test_conditional_occlusion_is_the_same_whether_in_one_call_or_many(
    monkeypatch: pytest.MonkeyPatch, score, explain, chain
) -> None:
    background, detector = chain(300), score(lambda X: np.abs(X[:, 0] * X[:, 1] - X[:, 2]))
    expected = explain("conditional_occlusion", detector, background, background[:4])
    monkeypatch.setattr("xadbench.evaluation.explainers.occlusion.CELLS_AT_ONCE", 1)
    assert_array_equal(explain("conditional_occlusion", detector, background, background[:4]), expected)


def test_neighbours_are_sought_among_normal_rows(score, explain) -> None:
    background = np.vstack([normal(96, 2) / 10, np.tile([50.0, 3.0], (4, 1))])
    attributions = explain(
        "conditional_occlusion",
        score(lambda X: (X**2).sum(axis=1)),
        background,
        [[50.0, 3.0]],
        n_neighbours=4,
    )
    assert_allclose(attributions, [[2500, 9]], rtol=0.02)


def test_a_broken_constant_does_not_drown_the_distances(score, explain, chain) -> None:
    background = np.column_stack([chain(2000), np.ones(2000)])
    gap = score(lambda X: np.abs(X[:, 0] - X[:, 1]))
    attributions = explain("conditional_occlusion", gap, background, [[*BROKEN[0], 1e9]])
    assert_allclose(attributions, [[2.9, 2.9, 0.0, 0.0]], atol=0.25)


def test_the_counterfactual_of_a_linear_score_moves_the_cheapest_feature_alone(explain) -> None:
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
