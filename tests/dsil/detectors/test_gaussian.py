import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import mahalanobis
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import DSIL, Gaussian, load
from xadbench.dsil.detectors.retention import Fixed


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_many_rows_are_scored_by_their_mahalanobis_distance(rng):
    X = rng.standard_normal((20_000, 3)) @ [[1, 0.5, 0], [0, 2, 0], [0, 0, 3]] + 5
    inverse = np.linalg.inv(np.cov(X.T))
    expected = [mahalanobis(row, X.mean(axis=0), inverse) ** 2 for row in X[:50]]
    assert_allclose(Gaussian().fit(X).decision_function(X[:50]), expected, rtol=0.01)


def test_more_columns_than_rows_still_have_scores(rng):
    X = rng.standard_normal((10, 40))
    far = X[0] + 10 * np.eye(40)
    detector = Gaussian().fit(X)
    assert detector.decision_function(far).min() > detector.decision_scores_.max()


def test_both_scores_agree_and_the_tensor_has_a_gradient(planted):
    X, _ = planted
    detector = Gaussian().fit(X)
    x = torch.from_numpy(X[:50]).requires_grad_()
    scores = detector.score_tensor(x)
    assert_allclose(scores.detach().numpy(), detector.decision_scores_[:50], rtol=1e-9)
    scores.sum().backward()
    assert_allclose(x.grad.numpy(), 2 * (X[:50] - detector.location_) @ detector.precision_, rtol=1e-9)
    with pytest.raises(InputError, match=r"x has shape \(20,\), expected \(n, d\)"):
        detector.score_tensor(torch.zeros(20))


def test_iterating_it_finds_what_hides_in_its_own_covariance(rng):
    X = rng.standard_normal((400, 10))
    X[:80, 0] += 6  # so many that they widen the one direction that would show them
    y = np.arange(400) < 80
    once, often = Gaussian().fit(X), DSIL(Gaussian(), Fixed(0.7)).fit(X)
    assert roc_auc_score(y, often.decision_scores_) > 0.99 > roc_auc_score(y, once.decision_scores_) + 0.1
    assert not (y & often.kept_).any()


def test_a_saved_one_scores_the_same(planted, tmp_path):
    X, _ = planted
    detector = DSIL(Gaussian(), Fixed(0.85)).fit(X)
    assert_array_equal(load(detector.save(tmp_path / "d")).decision_function(X), detector.decision_scores_)


def test_values_too_large_are_refused(rng):
    X = rng.standard_normal((50, 3))
    with pytest.raises(InputError, match="values are too large"):
        Gaussian().fit(X).decision_function(X[:2] * 1e180)
    with pytest.raises(InputError, match="values are too large"):
        Gaussian().fit(X * 1e180)


def test_a_constant_column_is_told_once_whatever_the_base():
    X = np.random.default_rng(0).standard_normal((50, 3))
    X[:, 1] = 4
    with pytest.warns(UserWarning, match="1 of 3 columns of X are constant") as reported:
        DSIL(Gaussian(), iterations=4).fit(X)
    assert len(reported) == 1
