import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xadbench.dsil.detectors.selection import SELECTIONS, by_rank, lowest

SCORES = arrays(float, st.integers(2, 40), elements=st.floats(-5, 5))


def rng(seed=0):
    return np.random.default_rng(seed)


@given(SCORES, st.data())
def test_the_lowest_scores_are_kept(scores, data):
    n_rows = data.draw(st.integers(1, len(scores) - 1))
    kept = lowest(scores, n_rows, rng())
    assert len(kept) == n_rows
    assert scores[kept].max() <= np.delete(scores, kept).min()


@pytest.mark.parametrize("name", sorted(SELECTIONS))
@given(scores=SCORES, data=st.data())
def test_a_selection_returns_as_many_different_rows_as_asked_for_in_order(name, scores, data):
    n_rows = data.draw(st.integers(1, len(scores)))
    kept = SELECTIONS[name](scores, n_rows, rng())
    assert kept.shape == (n_rows,)
    assert (np.diff(kept) > 0).all()
    assert set(kept) <= set(range(len(scores)))


def test_among_equal_scores_the_earlier_rows_are_kept():
    scores = rng().integers(2, size=1000).astype(float)
    expected = [*np.flatnonzero(scores == 0), *np.flatnonzero(scores == 1)][:700]
    assert lowest(scores, 700, rng()).tolist() == sorted(expected)


def test_a_row_is_drawn_the_more_often_the_lower_its_rank():
    """The shares for many rows: 1 - exp(-1.594 (1 - rank/n)), whose mean is a half."""
    scores = np.exp(rng(1).standard_normal(1000) * 5)  # ranks alone count, however far out a score is
    rank = scores.argsort().argsort()
    kept = np.mean([np.isin(np.arange(1000), by_rank(scores, 500, rng(seed))) for seed in range(200)], axis=0)
    shares = [kept[(rank >= low) & (rank < low + 100)].mean() for low in range(0, 1000, 100)]
    middles = np.arange(0.05, 1, 0.1)
    np.testing.assert_allclose(shares, 1 - np.exp(-1.594 * (1 - middles)), atol=0.02)


def test_equal_scores_have_equal_chances():
    kept = np.mean([np.isin(np.arange(20), by_rank(np.zeros(20), 10, rng(s))) for s in range(2000)], axis=0)
    np.testing.assert_allclose(kept, 0.5, atol=0.07)
