import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from xadbench.datasets import InputError
from xadbench.dsil import Repair

BACKGROUND = np.random.default_rng(0).standard_normal((500, 5))


class Scored:
    """A detector by its score function, which counts the rows it is asked for."""

    def __init__(self, function):
        self.function, self.n_scored = function, 0

    def decision_function(self, X):
        self.n_scored += len(X)
        return self.function(X)


def distance(X):
    return np.sqrt((X**2).sum(axis=1))


def difference(X):
    """The dependence of feature 1 on feature 0, broken where they differ."""
    return np.abs(X[:, 0] - X[:, 1]) + 0.1 * np.abs(X[:, 2:]).sum(axis=1)


def explain(function, row, **settings):
    return Repair(**settings).fit(Scored(function), BACKGROUND).explain(np.array([row]))[0]


def test_the_order_of_repair_is_the_order_of_attribution():
    attributions = explain(distance, [0.0, 4.0, 8.0, 0.1, 6.0])
    assert_array_equal(np.argsort(-attributions)[:3], [2, 4, 1])


def test_the_first_repair_has_the_whole_drop():
    row = [0.0, 4.0, 8.0, 0.1, 6.0]
    attributions = explain(lambda X: (X**2).sum(axis=1), row, n_values=101)  # 0 is about the middle one
    assert attributions[2] == pytest.approx(36 + 16 + 64, rel=0.01)
    assert attributions[4] == pytest.approx(36 + 16, rel=0.01)


def test_a_feature_is_evaluated_beside_repaired_ones():
    # Beside the broken feature 0, moving 1 lowers the score as much as moving 0; beside the repaired one not.
    attributions = explain(lambda X: difference(X) + np.abs(X[:, 0]), [5.0, 0.0, 0.2, 0.0, 0.0])
    assert attributions.argmax() == 0
    assert attributions[1] < attributions[0] / 10


def test_the_attribution_of_features_never_repaired_stays_below():
    attributions = explain(distance, [1.0, 4.0, 8.0, 3.0, 6.0], max_steps=2)
    assert set(np.argsort(-attributions)[:2]) == {2, 4}
    assert_array_equal(np.argsort(-attributions)[2:], [1, 3, 0])  # by what they would have done


def test_the_attribution_of_features_never_repaired_stays_below_even_if_they_would_do_more():
    attributions = explain(
        lambda X: np.where(np.abs(X[:, 0]) > 3, 9, 8.0 * (np.abs(X[:, 1]) > 3)), [5.0] * 5, max_steps=1
    )
    assert attributions[0] == 1 > attributions[1] > attributions[2:].max()


def test_a_normal_row_is_not_repaired_and_ranked_by_single_drops():
    row = np.array([[-1.0, -1.0, -1.0, -1.0, 3.0]])
    explainer = Repair().fit(Scored(lambda X: X.sum(axis=1)), BACKGROUND)
    assert_allclose(explainer.explain(row), row - explainer.values_.min(axis=1))


def test_the_best_value_of_a_feature_may_change_with_a_repair():
    def score(X):
        wished = np.where(np.abs(X[:, 0]) > 3, 2, -2)
        return np.abs(X[:, 1] - wished) + 9 * (np.abs(X[:, 0]) > 3)

    explainer = Repair(n_values=2, stop=0.0).fit(Scored(score), BACKGROUND)
    attributions = explainer.explain(np.array([[5.0, 5.0, 0.0, 0.0, 0.0]]))[0]
    assert attributions[1] == pytest.approx(5 - explainer.values_[1].min())


def test_pairs_are_tried_where_no_single_repair_moves_the_score():
    saturated = lambda X: np.minimum((np.abs(X) > 3).sum(axis=1), 1.0) + 0.01 * (np.abs(X) > 9).sum(axis=1)  # noqa: E731  # two lines of maths
    row = [0.0, 5.0, 0.0, 5.0, 0.0]
    attributions = explain(saturated, row)
    assert set(np.argsort(-attributions)[:2]) == {1, 3}
    assert attributions[1] == attributions[3] > attributions[[0, 2, 4]].max()


def test_a_score_that_nothing_moves_names_nobody():
    assert_array_equal(
        explain(lambda X: np.abs(X[:, 0]) * 0 + (np.abs(X).max(axis=1) > 5), [9.0] * 5), np.zeros(5)
    )


def test_the_cost_is_as_promised():
    explainer = Repair(n_values=8, max_steps=4).fit(detector := Scored(distance), BACKGROUND)
    detector.n_scored = 0
    explainer.explain(np.full((1000, 5), 9.0))
    assert detector.n_scored <= 1000 * (
        8 * 5 + 2 * 5 * 4 + 6
    )  # the row itself goes along; blocks are filled up


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_values": 1}, "n_values is 1, expected an integer of at least 2"),
        ({"max_steps": 0}, "max_steps is 0, expected an integer of at least 1"),
        ({"stop": 1.0}, r"stop is 1.0, expected a quantile in \[0, 1\)"),
        ({"stop": "x"}, r"stop is .x., expected a quantile"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Repair(**settings).fit(Scored(distance), BACKGROUND)


def test_an_unfitted_one_explains_nothing():
    with pytest.raises(NotFittedError):
        Repair().explain(BACKGROUND)


def test_a_constant_column_is_no_obstacle():
    background = BACKGROUND.copy()
    background[:, 3] = 7.0
    attributions = Repair().fit(Scored(distance), background).explain(np.array([[0.0, 9.0, 0.0, 7.0, 0.0]]))
    assert attributions.argmax() == 1
    assert np.isfinite(attributions).all()


def test_every_feature_may_need_repair():
    explainer = Repair(stop=0.0).fit(Scored(distance), BACKGROUND)
    attributions = explainer.explain(np.array([[9.0, 8.0, 7.0, 6.0, 5.0], [0.0, 0.0, 9.0, 0.0, 0.0]]))
    assert_array_equal(np.argsort(-attributions[0]), [0, 1, 2, 3, 4])
    assert attributions[1].argmax() == 2
