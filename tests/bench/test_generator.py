"""How fast rows are made, as ratios of least times inside one run, and in how much memory."""

import resource
import shutil
import subprocess
import sys
from itertools import count

import pytest
import yaml

from xadbench.datasets import write_table
from xadbench.datasets.rng import stream
from xadbench.generator.generation import generate
from xadbench.generator.networks.additive import BLOCK_ROWS, AdditiveNoiseNetwork
from xadbench.generator.recipe import Recipe, load_recipe
from xadbench.generator.simulation import build_network

pytestmark = pytest.mark.bench

GIBIBYTE = 2**20  # in KiB, as Linux counts resident memory
GENERATE = "from xadbench.evaluation.cli.app import main; main()"


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
def test_rows_cost_little_more_than_their_variates(ratio, make, n_rows, n_features):
    own = network(n_features)
    assert ratio(lambda: make(own, n_rows), lambda: raw(own, n_rows)) <= 1.5


def test_rows_are_made_six_times_as_fast_as_by_pgmpys_functional_network(ratio, functional_network):
    n_rows = 5_000
    own = network(50, n_edges=60)
    theirs = functional_network(own, n_rows)
    assert ratio(lambda: theirs.simulate(n_rows, seed=0), lambda: own.simulate(n_rows)) >= 6


def test_a_paper_table_of_a_thousand_features_takes_under_three_seconds(benchmark, least_times, tmp_path):
    recipe, number = load_recipe("table2-d1000-10"), count()

    def make():
        write_table(generate(recipe), tmp_path / str(next(number)))

    (seconds,) = benchmark.pedantic(least_times, args=(make,), rounds=1)
    benchmark.extra_info["seconds"] = seconds
    assert seconds < 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ru_maxrss has other units")
def test_ten_million_rows_are_made_in_less_than_a_gibibyte(benchmark, tmp_path):
    recipe = {"name": "long", "rows": 10_000, "anomaly_ratio": 0.05, "graph": {"nodes": 50, "edges": 60}}
    kinds = ["cluster", "global", "local", "additive", "multiplicative"]
    (tmp_path / "long.yaml").write_text(yaml.safe_dump(recipe | {"anomalies": kinds}))
    options = ["--rows", "10000000", "--chunk-rows", "100000", "--out", tmp_path / "long"]  # some 10 GB
    command = [sys.executable, "-c", GENERATE, "generate", tmp_path / "long.yaml", *options]
    try:
        benchmark.pedantic(subprocess.run, args=(command,), kwargs={"check": True}, rounds=1)
    finally:
        shutil.rmtree(tmp_path / "long", ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the largest child of this process
    benchmark.extra_info["peak in KiB"] = peak
    assert peak < GIBIBYTE
