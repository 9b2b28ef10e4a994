import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets import InputError
from xadbench.dsil import DSIL, DTE, Gaussian
from xadbench.dsil.networks import feature_changes as changes
from xadbench.dsil.networks.feature_changes import change_scores, moves_of_changes
from xadbench.dsil.networks.mlp import MANY_CHANGES

ROW = np.array([1.0, -2.0, 0.5])
VALUES = np.array([[0.0, 3.0], [1.0, -2.0]])


class Scored:
    def __init__(self, function):
        self.decision_function = function


def squares(rows):
    return (rows**2).sum(axis=1)


def moves(function, features, values):
    features = np.array([features], dtype=int)
    own, moved = moves_of_changes(change_scores(Scored(function)), ROW[None], features, values[None])
    return own[0], moved[0]


def test_one_feature_moves_at_a_time():
    own, moved = moves(squares, [2, 1], VALUES)
    assert own == squares(ROW[None])[0]
    assert_allclose(moved, [[-0.25, 8.75], [-3.0, 0.0]])
    assert_array_equal(ROW, [1.0, -2.0, 0.5])


def test_parts_that_bound_the_memory_change_nothing(monkeypatch):
    whole = moves(squares, [2, 1], VALUES)
    monkeypatch.setattr(changes, "SCORED_AT_ONCE", 1)
    parts = moves(squares, [2, 1], VALUES)
    assert whole[0] == parts[0]
    assert_array_equal(whole[1], parts[1])


def test_without_a_feature_there_is_the_score_of_the_row():
    own, moved = moves(squares, [], np.empty((0, 2)))
    assert own == squares(ROW[None])[0]
    assert moved.shape == (0, 2)


@pytest.mark.parametrize("score", [lambda rows: rows, lambda rows: rows[:, 0] * np.nan])
def test_scores_that_are_not_one_finite_number_a_row_are_refused(score):
    with pytest.raises(InputError, match="one finite number a row"):
        moves(score, [0], VALUES[:1])


def test_what_cannot_score_is_refused():
    with pytest.raises(InputError, match="object has neither score_tensor nor decision_function"):
        change_scores(object())


@pytest.mark.parametrize(
    "detector", [DTE(epochs=3, batch_size=16), DSIL(DTE(epochs=3, batch_size=16), iterations=2)]
)
@pytest.mark.parametrize("n_values", [2, MANY_CHANGES])  # few and many
def test_an_mlp_scores_changes_as_it_scores_the_changed_rows(detector, n_values):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((64, 5))
    detector.fit(rows)
    changes = rows[:2], np.array([[2, 0], [0, 4]]), 3 * rng.standard_normal((2, 2, n_values))
    own, moved = moves_of_changes(change_scores(detector), *changes)
    expected = moves_of_changes(change_scores(Scored(detector.decision_function)), *changes)
    assert_allclose(own, expected[0], atol=1e-5)
    assert_allclose(moved, expected[1], atol=1e-5)
    assert np.abs(moved).max() > 1e-3


def test_rows_that_go_together_do_not_change_each_other(monkeypatch):
    rng = np.random.default_rng(0)
    rows, features = rng.standard_normal((7, 3)), np.argsort(rng.random((7, 3)), axis=1)[:, :2]
    values = rng.standard_normal((7, 2, 2))
    calls = []
    scores = change_scores(Scored(lambda X: calls.append(len(X)) or squares(X)))
    own, moved = moves_of_changes(scores, rows, features, values)
    assert calls == [25 * 5]  # the block is filled up
    for i in range(7):
        alone = moves_of_changes(scores, rows[[i]], features[[i]], values[[i]])
        assert (own[i], *moved[i].ravel()) == (alone[0][0], *alone[1].ravel())
    monkeypatch.setattr(changes, "LEAST_AT_ONCE", 15)
    blocks = moves_of_changes(scores, rows, features, values)
    assert_array_equal(blocks[0], own)
    assert_array_equal(blocks[1], moved)
    assert calls[-3:] == [15, 15, 15]


@pytest.mark.parametrize(
    ("detector", "is_quick"),
    [
        (DSIL(DTE(epochs=1, batch_size=8), iterations=1), True),
        (DSIL(Gaussian(), iterations=1), False),
    ],
)
def test_quick_changes_are_offered_where_the_detector_has_them(detector, is_quick):
    assert not hasattr(detector, "score_changes")  # before a fit nobody knows
    detector.fit(np.random.default_rng(0).standard_normal((80, 3)))
    assert hasattr(detector, "score_changes") == is_quick
