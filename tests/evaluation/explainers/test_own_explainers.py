"""What all explainers written from papers bear; what they must keep is in contracts."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import IsolationForest

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.explainers import EXPLAINERS, make_explainer

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


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


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
def test_a_poor_background_gives_finite_attribution(name: str, background: FloatArray, explain) -> None:
    params = {"max_iter": 5} if name == "surprise_boosting" else {}
    X = np.vstack([background[:3], background[:1] + 0.5, background[:1] - 7])
    assert np.isfinite(explain(name, Norm(background), background, X, **params)).all()


@pytest.mark.parametrize("name", sorted(set(DETECTOR_FREE) - {"copod"}))
def test_a_constant_is_ranked_for_a_change_and_for_nothing_else(name: str, explain) -> None:
    background = np.column_stack([np.full(90, 0.1), normal(90, 2)])  # the mean of 0.1s may not be 0.1
    attributions = explain(name, None, background, [[0.1, 0.3, -0.2], [0.1001, 0.3, -0.2]])
    assert attributions[0, 0] == 0
    assert attributions[1].argmax() == 0


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
