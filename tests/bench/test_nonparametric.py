"""How much the non-parametric detector adds to the search for neighbours that it rests on."""

import time

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from xadbench.dsil import DTENonParametric

pytestmark = pytest.mark.bench

ROUNDS = 3


def least_times(*functions):
    """Return the least time of each function, run in turn."""
    times = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, own in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            own.append(time.perf_counter() - start)
    return [min(own) for own in times]


@pytest.mark.parametrize("statistic", ["mode", "mean"])
def test_scores_cost_little_more_than_the_neighbours(benchmark, statistic):
    X = np.random.default_rng(0).standard_normal((50_000, 30))
    index = NearestNeighbors(n_neighbors=5).fit(X)
    functions = (
        lambda: DTENonParametric(statistic=statistic).fit(X),
        lambda: index.kneighbors(X),
    )  # fit scores X
    ours_time, search_time = benchmark.pedantic(least_times, args=functions, rounds=1)
    benchmark.extra_info["ratio"] = ours_time / search_time
    assert ours_time <= 1.1 * search_time
