"""Explainers that look at all features together: Mahalanobis shares and surprise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.explainers.surprise import _ridge


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


BROKEN = np.array([[1.5, -1.5, 0.0]])  # in no column remarkable, but the first two should be equal


def test_mahalanobis_shares_sum_to_the_squared_distance_and_ignore_units(explain, chain) -> None:
    background, X = chain(400), chain(9, seed=1)
    scale = np.array([1.0, 10.0, 0.1])
    values = make_explainer("mahalanobis", random_state=0).fit(None, background)
    detector = make_detector("mcd", random_state=0).fit(background)
    assert_allclose(values.explain(X).sum(axis=1), detector.decision_function(X), rtol=0.1)
    assert_allclose(explain("mahalanobis", None, background * scale, X * scale), values.explain(X), rtol=1e-6)


def test_mahalanobis_shares_are_the_shapley_values_of_the_squared_distance(score, explain, chain) -> None:
    explainer = make_explainer("mahalanobis", random_state=0).fit(None, chain(400))
    X = normal(3, 3, seed=1)
    distance = score(lambda rows: explainer.explain(rows).sum(axis=1))
    scale = explainer._scale
    middle = (scale.middle + explainer._location * scale.deviation)[None]
    assert_allclose(explain("exact_shapley", distance, middle, X), explainer.explain(X), rtol=1e-6)


@pytest.mark.parametrize("columns", [3, 60])  # by the least determinant; wrapped and shrunk
def test_the_covariance_bears_wild_rows(columns: int, explain, chain) -> None:
    sound = np.hstack([chain(1800), normal(1800, columns - 3, seed=2)])
    wild = np.hstack([np.tile([8.0, -8.0, 0.0], (200, 1)), np.zeros((200, columns - 3))])
    polluted = np.vstack([sound, wild + 0.1 * normal(200, columns, seed=3)])
    row = np.hstack([BROKEN, np.zeros((1, columns - 3))])
    assert explain("mahalanobis", None, polluted, row).sum() > 0.5 * LedoitWolf().fit(sound).mahalanobis(row)
    assert LedoitWolf().fit(polluted).mahalanobis(row) < 1


def test_a_rare_category_is_no_wild_value(explain) -> None:
    background = normal(2000, 60)
    background[:, 0] = np.arange(2000) % 100 == 0
    row = np.zeros((1, 60))
    row[0, 0] = 1.0
    rarity = explain("z_score", None, background, row)[0, 0] ** 2
    assert_allclose(explain("mahalanobis", None, background, row)[0, 0], rarity, rtol=0.5)


def test_few_rows_have_the_shrunk_covariance(explain) -> None:
    order = normal(14, 3).argsort(axis=0)
    few = np.linspace(-1, 1, 14)[order]  # no value is far out
    shrunk = LedoitWolf().fit(few).mahalanobis(BROKEN)
    assert_allclose(explain("mahalanobis", None, few, BROKEN).sum(axis=1), shrunk)


@pytest.mark.parametrize("name", ["surprise_ridge", "surprise_boosting", "mahalanobis"])
def test_a_broken_dependence_is_seen_where_marginals_are_blind(name: str, explain, chain) -> None:
    background = chain(600)
    attributions = explain(name, None, background, BROKEN)[0]
    assert attributions[:2].min() > 3 * abs(attributions[2])
    assert explain("z_score", None, background, BROKEN).max() < 2


def test_boosting_sees_dependence_that_ridge_cannot(explain) -> None:
    background = normal(900, 2)
    background[:, 1] = background[:, 0] ** 2 + 0.1 * background[:, 1]
    X = [[1.5, 0.0]]
    ridge, boosting = (
        explain(f"surprise_{kind}", None, background, X)[0, 1] for kind in ("ridge", "boosting")
    )
    assert ridge < 2
    assert boosting > 5


def test_boosting_keeps_the_predictors_that_matter(explain, chain) -> None:
    attributions = explain("surprise_boosting", None, chain(600), BROKEN, max_predictors=1)[0]
    assert attributions[:2].min() > 5 > attributions[2]


def test_one_inverse_holds_all_ridge_regressions(chain) -> None:
    z = chain(50)
    values, vectors = np.linalg.eigh(z.T @ z / 50)
    residuals = z @ _ridge(values, vectors, 0.3)
    for i in range(3):
        others = np.delete(z, i, axis=1)
        fitted = Ridge(alpha=0.3 * 50, fit_intercept=False).fit(others, z[:, i])
        assert_allclose(residuals[:, i], z[:, i] - fitted.predict(others))


def test_surprise_of_background_rows_is_out_of_fold(explain) -> None:
    background = normal(40, 30)  # one regression on all rows would fit them almost exactly
    attributions = explain(
        "surprise_ridge", None, background, np.vstack([background, normal(40, 30, seed=1)])
    )
    assert_allclose(attributions[:40].mean(), attributions[40:].mean(), rtol=0.2)
