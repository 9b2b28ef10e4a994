"""The example of a plug-in, installed as a user would: listed, checked, and tested by its own tests."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin"
CLI = ["-c", "from xadbench.evaluation.cli.app import main; main()"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A function that runs Python in the example's folder, where the example is installed."""
    place = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, place / "source")  # a build leaves files beside it
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(place / "site")]
    paths = [str(place / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "160"}

    def run(*arguments):
        command = [sys.executable, *arguments]
        done = subprocess.run(  # noqa: S603  # our own code
            command, capture_output=True, text=True, check=False, cwd=source, env=environment
        )
        return done.returncode, done.stdout, done.stderr

    code, _, err = run("-m", "pip", "install", "--quiet", *options, str(source))
    assert code == 0, err
    shutil.rmtree(source / "build", ignore_errors=True)
    (source / "xadbench_example.py").unlink()  # what runs is what was installed
    return run


def test_its_explainer_is_listed_with_its_distribution(installed):
    code, out, err = installed(*CLI, "list", "explainers")
    (line,) = (line for line in out.splitlines() if line.startswith("example_replacement"))
    assert (code, err) == (0, "")
    assert line.endswith(" plug-in of xadbench-example 1.0: xadbench_example:Replacement")


def test_its_explainer_passes_the_check(installed):
    code, out, err = installed(*CLI, "check", "example_replacement", "--param", "n_draws=20")
    assert (code, err) == (0, "")
    assert "example_replacement: 10 of 10 checks passed" in out


def test_its_own_tests_pass(installed):
    is_known = any(entry.name == "xadbench" for entry in entry_points(group="pytest11"))
    plugin = [] if is_known else ["-p", "xadbench.pytest_plugin"]
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:benchmark", *plugin]
    code, out, err = installed("-m", "pytest", *options)
    assert code == 0, out + err
    assert "23 passed" in out
