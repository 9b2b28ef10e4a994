"""How fast rows are made, as ratios of least times inside one run."""

import time

import pytest

from xadbench.datasets.streams import stream
from xadbench.generator.network import CHUNK_ROWS
from xadbench.generator.recipe import Recipe, build_network

pytestmark = pytest.mark.bench

ROUNDS = 5
SIZES = [(5_000, 1_000), (1_000_000, 100)]


def least_times(*functions):
    """Return the least time of each function, run in turn."""
    times = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, own in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            own.append(time.perf_counter() - start)
    return [min(own) for own in times]


def network(n_features, n_edges=30):
    recipe = {"name": "speed", "rows": 10, "anomaly_ratio": 0.5, "anomalies": ["global"]}
    graph = {"nodes": n_features, "edges": n_edges}
    return build_network(Recipe.model_validate(recipe | {"graph": graph}))


def raw(own, n_rows):
    """Draw the variates of every node in the chunks that the network uses, and nothing else."""
    return [
        noise.draw(stream(0, node, str(start)), min(CHUNK_ROWS, n_rows - start))
        for start in range(0, n_rows, CHUNK_ROWS)
        for node, noise in own.noise.items()
    ]


@pytest.mark.parametrize(("n_rows", "n_features"), SIZES)
def test_rows_cost_little_more_than_their_variates(benchmark, n_rows, n_features):
    own = network(n_features)

    def ours():
        for _ in own.chunks(n_rows):
            pass

    ours_time, raw_time = benchmark.pedantic(least_times, args=(ours, lambda: raw(own, n_rows)), rounds=1)
    benchmark.extra_info["ratio"] = ours_time / raw_time
    assert ours_time <= 1.5 * raw_time
