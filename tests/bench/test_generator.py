"""How fast rows are made, as ratios of least times inside one run."""

import time

import pytest

from xadbench.datasets.streams import stream
from xadbench.generator.network import BLOCK_ROWS, AdditiveNoiseNetwork
from xadbench.generator.recipe import Recipe, build_network

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


def network(n_features, n_edges=30):
    recipe = {"name": "speed", "rows": 10, "anomaly_ratio": 0.5, "anomalies": ["global"]}
    graph = {"nodes": n_features, "edges": n_edges}
    return build_network(Recipe.model_validate(recipe | {"graph": graph}))


def raw(own, n_rows):
    """Draw the variates of every node in the blocks that the network uses, and nothing else."""
    return [
        noise.draw(stream(0, node, str(start)), min(BLOCK_ROWS, n_rows - start))
        for start in range(0, n_rows, BLOCK_ROWS)
        for node, noise in own.noise.items()
    ]


def in_chunks(own, n_rows):
    """Make rows as long tables are made: a block at a time."""
    for _ in own.blocks(n_rows):
        pass


@pytest.mark.parametrize(
    ("make", "n_rows", "n_features"),
    [(AdditiveNoiseNetwork.simulate, 5_000, 1_000), (in_chunks, 1_000_000, 100)],
    ids=["at once", "in blocks"],
)
def test_rows_cost_little_more_than_their_variates(benchmark, make, n_rows, n_features):
    own = network(n_features)
    functions = (lambda: make(own, n_rows), lambda: raw(own, n_rows))
    ours_time, raw_time = benchmark.pedantic(least_times, args=functions, rounds=1)
    benchmark.extra_info["ratio"] = ours_time / raw_time
    assert ours_time <= 1.5 * raw_time
