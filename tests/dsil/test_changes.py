import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets import InputError
from xadbench.dsil import changes
from xadbench.dsil.changes import score_changes, score_function

ROW = np.array([1.0, -2.0, 0.5])
VALUES = np.array([[0.0, 3.0], [1.0, -2.0]])


def squares(rows):
    return (rows**2).sum(axis=1)


def test_one_feature_moves_at_a_time():
    own, moves = score_changes(squares, ROW, np.array([2, 1]), VALUES)
    assert own == squares(ROW[None])[0]
    assert_allclose(moves, [[-0.25, 8.75], [-3.0, 0.0]])
    assert_array_equal(ROW, [1.0, -2.0, 0.5])


def test_parts_that_bound_the_memory_change_nothing(monkeypatch):
    whole = score_changes(squares, ROW, np.array([2, 1]), VALUES)
    monkeypatch.setattr(changes, "CELLS_AT_ONCE", 1)
    parts = score_changes(squares, ROW, np.array([2, 1]), VALUES)
    assert whole[0] == parts[0]
    assert_array_equal(whole[1], parts[1])


def test_without_a_feature_there_is_the_score_of_the_row():
    own, moves = score_changes(squares, ROW, np.array([], dtype=int), np.empty((0, 2)))
    assert own == squares(ROW[None])[0]
    assert moves.shape == (0, 2)


@pytest.mark.parametrize("score", [lambda rows: rows, lambda rows: rows[:, 0] * np.nan])
def test_scores_that_are_not_one_finite_number_a_row_are_refused(score):
    with pytest.raises(InputError, match="one finite number a row"):
        score_changes(score, ROW, np.array([0]), VALUES[:1])


def test_what_cannot_score_is_refused():
    with pytest.raises(InputError, match="object has neither score_tensor nor decision_function"):
        score_function(object())
