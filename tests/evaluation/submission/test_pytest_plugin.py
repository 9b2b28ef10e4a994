"""The fixture `xadbench_score`, in runs of pytest by themselves: ours may not have the plug-in."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

EXPLAINERS = """
import numpy as np
from xadbench.evaluation.suite.spec import Suite

SUITE = Suite.model_validate({
    "name": "tiny", "detectors": ["gaussian"],
    "tables": [{"recipe": name, "rows": 200} for name in ("table2-d4-5", "table2-d10-5")],
    "explainers": ["z_score", "random"],
})

def far(detector, background, X):
    return np.abs(X - background.mean(axis=0))

def broken(detector, background, X):
    return X * np.nan
"""
# As in our own conftest.py.
CONFTEST = """
from functools import partial
from xadbench.evaluation.leaks.controls import leak_controls
from xadbench.evaluation.results import table_summary
table_summary.leak_controls = partial(leak_controls, n_draws=2)
"""
TESTS = """
import pytest
from mine import SUITE, broken, far
from xadbench.datasets import InputError

def test_alone(xadbench_score):
    scores = xadbench_score(far, SUITE)
    assert set(scores) == {"gaussian"}
    own = scores["gaussian"]
    assert own["low"] <= own["mean"] <= own["high"]
    assert own["entries"] == 2 and own["place"] in {1, 2}
    assert own["seconds"] > 0 and 0 < own["chance"] < 1 and own["oracle"] > own["chance"]

def test_broken(xadbench_score):
    xadbench_score(broken, SUITE)

def test_none(xadbench_score):
    with pytest.raises(InputError, match="no explainer to score"):
        xadbench_score(None, SUITE, detector="gaussian")

def test_params(xadbench_score):
    assert xadbench_score("z_score", SUITE, {})["gaussian"]["entries"] == 1

def test_timed(benchmark, xadbench_score):
    benchmark.pedantic(xadbench_score, args=(far, SUITE), rounds=2)
    xadbench_score("z_score", SUITE)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What pytest says of TESTS, and its file of benchmarks."""
    folder = tmp_path_factory.mktemp("tests")
    (folder / "mine.py").write_text(EXPLAINERS)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_mine.py").write_text(TESTS)
    is_installed = any(entry.name == "xadbench" for entry in entry_points(group="pytest11"))
    plugin = [] if is_installed else ["-p", "xadbench.pytest_plugin"]
    options = ["-W", "error", "-p", "no:cacheprovider", "--benchmark-json", "b.json", *plugin]
    command = [sys.executable, "-m", "pytest", *options]
    # As from a terminal: under xdist, pytest-benchmark would time nothing.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(  # noqa: S603  # ours
        command, capture_output=True, text=True, check=False, cwd=folder, env=alone
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, json.loads((folder / "b.json").read_text())


def test_the_fixture_scores_and_a_trial_without_score_fails_the_test(finished):
    out, _ = finished
    assert "1 failed, 4 passed" in out
    assert "broken on gaussian: error: ValueError: " in out
    assert "Traceback" not in out


def test_scores_and_trials_go_into_the_benchmarks_extra_info(finished):
    (benchmark,) = finished[1]["benchmarks"]
    reported = benchmark["extra_info"]["xadbench"]
    assert set(reported["scores"]) == {"far", "z_score"}
    assert reported["scores"]["far"]["gaussian"]["mean"] <= 1
    labels = [record["explainer"]["label"] for record in reported["records"]]
    assert labels == [
        "far",
        "far",
        "z_score",
        "z_score",
    ]  # two tables each, the second round in place of the first
    assert all(record["seconds"] > 0 and record["scores"]["detected"] for record in reported["records"])


def test_the_plugin_imports_nothing_until_it_is_used():
    code = "import sys; import xadbench.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "numpy", "pandas", "sklearn", "scipy", "typer", "pydantic"}
    # By lazy_names the top level imports nothing else; names suggests what an error may have meant.
    modules = {f"datasets.common.{name}" for name in ("errors", "lazy_names", "names")}
    known = {"pytest_plugin", "datasets", "datasets.common"} | modules
    own = {name.partition(".")[2] for name in done.stdout.split() if name.startswith("xadbench.")}
    assert own <= known


def test_the_plugin_is_declared():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"xadbench": "xadbench.pytest_plugin"}
