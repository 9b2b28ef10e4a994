import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.dsil import DSIL, Tails, load

X = np.random.default_rng(0).standard_normal((50, 3))


def test_the_score_is_the_sum_of_the_smaller_tails():
    detector = Tails().fit([[1.0], [2.0], [2.0], [5.0]])
    # of 4 values: none below 0, one at most 1, three at most 2 and as many at least, one at least 4
    counts = np.array([0, 1, 3, 1, 0])
    scores = detector.decision_function([[0.0], [1.0], [2.0], [4.0], [9.0]])
    assert_allclose(scores, -np.log((counts + 0.5) / 5))


def test_features_add_up():
    alone = [Tails().fit(X[:, [i]]).decision_scores_ for i in range(3)]
    assert_allclose(Tails().fit(X).decision_scores_, np.sum(alone, axis=0))


@pytest.mark.parametrize("rising", [np.exp, np.cbrt, lambda x: 7 * x - 3])
def test_a_monotone_map_changes_nothing(rising):
    assert_array_equal(Tails().fit(rising(X)).decision_scores_, Tails().fit(X).decision_scores_)


def test_a_saved_one_scores_the_same(tmp_path):
    detector = DSIL(Tails(), iterations=3).fit(X)
    assert_array_equal(load(detector.save(tmp_path / "d")).decision_function(X), detector.decision_scores_)
