import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from xadbench.datasets import InputError
from xadbench.dsil import DSIL, Gaussian, Neighbours, load
from xadbench.dsil.detectors.retention import Fixed

METRICS = pytest.mark.parametrize("metric", ["euclidean", "mahalanobis"])


@pytest.fixture(name="X")
def rows():
    rng = np.random.default_rng(0)
    return rng.standard_normal((120, 5)) @ rng.standard_normal((5, 5))


@METRICS
def test_the_score_is_the_mean_distance_to_the_nearest(X, metric):
    inverse = Gaussian().fit(X).precision_ if metric == "mahalanobis" else np.eye(5)
    distances = np.sort(cdist(X + 1, X, "mahalanobis", VI=inverse), axis=1)
    detector = Neighbours(7, metric).fit(X)
    assert_allclose(detector.decision_function(X + 1), distances[:, :7].mean(axis=1), rtol=1e-6)


def test_copies_count_once(X):
    drawn = np.random.default_rng(1).integers(len(X), size=400)
    distinct = X[np.unique(drawn)]
    assert_array_equal(
        Neighbours().fit(X[drawn]).decision_function(X), Neighbours().fit(distinct).decision_function(X)
    )


def test_where_there_are_fewer_rows_than_neighbours_all_are_taken(X):
    few = X[:6]
    assert_allclose(Neighbours(40).fit(few).decision_scores_, cdist(few, few).mean(axis=1))


@METRICS
def test_more_columns_than_rows_still_have_scores(metric):
    X = np.random.default_rng(0).standard_normal((30, 60))
    detector = Neighbours(5, metric).fit(X)
    assert detector.decision_function(X[:1] + 10 * np.eye(60)).min() > detector.decision_scores_.max()


@METRICS
def test_a_saved_one_scores_the_same(X, metric, tmp_path):
    detector = DSIL(Neighbours(10, metric), Fixed(0.6), iterations=3).fit(X)
    assert_array_equal(load(detector.save(tmp_path / "d")).decision_function(X), detector.decision_scores_)


def test_no_rows_have_no_scores(X):
    assert Neighbours().fit(X).decision_function(np.empty((0, 5))).shape == (0,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_neighbors": 0}, "n_neighbors is 0, expected an integer of at least 1"),
        ({"metric": "cosine"}, r"unknown metric 'cosine'.*; known: euclidean, mahalanobis"),
    ],
)
def test_bad_parameters_are_refused(X, params, message):
    with pytest.raises(InputError, match=message):
        Neighbours(**params).fit(X)


def test_values_too_large_are_refused(X):
    with pytest.raises(InputError, match="values are too large"):
        Neighbours(metric="mahalanobis").fit(X * 1e-3).decision_function(X * 1e306)
