"""Ratios of sums over rows, and their intervals."""

import numpy as np
import pytest

from xadbench.evaluation.metrics import pooled_interval, pooled_ratio


def parts(n, rng):
    """Values that are 0.5 of totals on average."""
    totals = rng.exponential(size=n)
    return totals * rng.normal(0.5, 1, size=n), totals


def test_a_ratio_is_that_of_weighted_sums_over_the_rows_that_have_both():
    values, totals = np.array([1.0, np.nan, 3.0, 5.0]), np.array([2.0, 1.0, 4.0, np.nan])
    assert pooled_ratio(values, totals) == 4 / 6
    assert pooled_ratio(values, totals, np.array([1.0, 1.0, 0.5, 1.0])) == 2.5 / 4
    assert np.isnan(pooled_ratio(values, totals, np.array([0.0, 1.0, 0.0, 1.0])))


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [pooled_interval(*parts(40, rng)) for _ in range(200)]
    assert 0.88 < np.mean([low < 0.5 < high for low, high in intervals]) < 0.99


def test_the_interval_is_the_same_in_chunks_of_any_size(monkeypatch):
    sample = parts(30, np.random.default_rng(0))
    whole = pooled_interval(*sample)
    monkeypatch.setattr("xadbench.evaluation.metrics.pooled.CELLS_AT_ONCE", 100)
    assert pooled_interval(*sample) == whole


@pytest.mark.parametrize("n", [0, 1])
def test_a_single_row_has_no_interval(n):
    assert np.isnan(pooled_interval(np.ones(n), np.ones(n))).all()
