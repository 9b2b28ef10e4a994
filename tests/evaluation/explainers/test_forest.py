"""Explainers of isolation forests."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer

WITH_FOREST = ("diffi", "exiffi", "tree_shap")


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


FOREST = make_detector("iforest", random_state=0).fit(normal(500, 4))


def test_a_forest_is_offered_by_isolation_forests_alone() -> None:
    assert isinstance(FOREST.forest_, IsolationForest)
    knn = make_detector("knn", random_state=0).fit(normal(50, 2))
    for name in WITH_FOREST:
        with pytest.raises(InputError, match="needs a forest, and the detector has no forest_"):
            make_explainer(name, random_state=0).fit(knn, normal(50, 2))


@pytest.mark.parametrize("name", WITH_FOREST)
def test_forests_attribution_a_shifted_feature(name: str, explain) -> None:
    X = normal(20, 4, seed=1) / 2
    X[:, 3] = 6
    assert_array_equal(explain(name, FOREST, normal(500, 4), X).argmax(axis=1), 3)


def test_tree_shap_sums_to_the_shortfall_of_the_path_and_so_rises_with_the_score(explain) -> None:
    forest = FOREST.forest_
    X = normal(30, 4, seed=1) * 2
    n = forest.max_samples_
    c = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    length = -c * np.log2(-forest.score_samples(X))  # from Liu's score 2^(-h / c)
    shortfall = explain("tree_shap", FOREST, normal(500, 4), X).sum(axis=1)
    assert_allclose(np.ptp(shortfall + length), 0, atol=1e-6)
    assert np.corrcoef(shortfall, FOREST.decision_function(X))[0, 1] > 0.9


def test_diffi_and_exiffi_by_hand(explain) -> None:
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
