import numpy as np
import pytest
from numpy.testing import assert_allclose

from xadbench.generator import moments


def test_moments_agree_with_numpy(rng):
    X = 1e6 + rng.standard_normal((500, 3))
    assert_allclose(moments.column_means(X), X.mean(axis=0))
    assert_allclose(moments.column_stds(X), X.std(axis=0))
    assert_allclose(moments.std(X), X.std())


def test_the_order_of_the_rows_does_not_change_a_bit(rng):
    values = 10.0 ** rng.uniform(-8, 8, 2000)
    other = np.sort(values)
    assert moments.mean(values) == moments.mean(other)
    assert moments.std(values) == moments.std(other)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_squares_neither_vanish_nor_overflow(factor):
    assert_allclose(moments.std(factor * np.array([-1.0, 1.0])), factor)


def test_a_constant_does_not_vary():
    assert moments.std(np.full(4, 0.5)) == 0


def test_what_float64_cannot_hold_is_infinite():
    assert moments.std(np.full(4, 1e308)) == np.inf
