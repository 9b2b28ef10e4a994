import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.draws import check_seed, integer, permutation, subset, uniform


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 1000))
def test_a_subset_is_distinct_ascending_and_within(n, size, seed):
    chosen = subset(n, size, stream(seed))
    assert len(chosen) == min(n, size)
    assert (np.diff(chosen) > 0).all()
    assert set(chosen) <= set(range(n))


@given(st.integers(0, 200), st.integers(0, 1000))
def test_a_permutation_holds_every_number_once(n, seed):
    assert sorted(permutation(n, stream(seed))) == list(range(n))


def test_integers_are_uniform_over_both_ends(rng):
    counts = np.bincount([integer(2, 4, rng) for _ in range(3000)])
    assert counts[:2].sum() == 0
    assert (abs(counts[2:] - 1000) < 150).all()


def test_uniform_stays_within_its_bounds(rng):
    values = [uniform((-1.0, 5.0), rng) for _ in range(1000)]
    assert -1 <= min(values) < -0.9
    assert 4.9 < max(values) <= 5


@pytest.mark.parametrize("seed", [-1, 1.0, "0", None, True])
def test_a_seed_is_an_integer_of_at_least_0(seed):
    with pytest.raises(InputError, match="expected an integer of at least 0"):
        check_seed(seed)


def test_numpy_integers_are_seeds():
    assert check_seed(np.int64(3)) == 3
