"""What `import xadbench` offers, and what it does not import."""

import re
import subprocess
import sys
from inspect import ismodule
from pathlib import Path

import pytest

import xadbench
from xadbench import datasets, dsil, evaluation, generator
from xadbench.evaluation.cli.lazy_commands import COMMANDS, Commands
from xadbench.evaluation.report import report

LAZY = ("generate", "inject", "load_recipe", "score_explainer", "run_suite", "leaderboard", "compare", "plot")
PACKAGES = [xadbench, datasets, generator, dsil, evaluation]
DOCUMENTED = Path(__file__).parents[1] / "docs" / "reference" / "api.md"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda one: one.__name__)
def test_public_names_are_there_and_they_alone_are_listed(package):
    assert dir(package) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def documented(package):
    """The names that the page of the Python interface lists of a package, in tables and lists."""
    _, *parts = DOCUMENTED.read_text(encoding="utf-8").split(".. currentmodule:: ")
    of_package = "\n".join(part for part in parts if part.splitlines()[0] == package.__name__)
    return re.findall(r"^ {3}([A-Za-z]\w*)$", of_package, re.MULTILINE) + re.findall(r"`(\w+)`: ", of_package)


@pytest.mark.parametrize(
    "package", [*PACKAGES, evaluation.metrics, evaluation.plot], ids=lambda one: one.__name__
)
def test_the_page_of_the_interface_lists_what_is_public(package):
    public = {
        name for name in package.__all__ if name != "__version__" and not ismodule(getattr(package, name))
    }
    assert sorted(documented(package)) == sorted(public)


def test_the_top_level_offers_what_its_packages_do():
    for name in LAZY:
        assert getattr(xadbench, name) in {getattr(generator, name, None), getattr(evaluation, name, None)}
    assert xadbench.report is report
    assert {*LAZY, "report", "__version__"} == {*xadbench.__all__}


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match=r"xadbench.*genrate"):
        _ = xadbench.genrate


@pytest.mark.parametrize("code", ["import xadbench", "import xadbench.evaluation.cli.app"])
def test_the_import_brings_nothing_heavy(code):
    heavy = "numpy", "pandas", "pydantic", "scipy", "torch"
    reported = f"{code}; import sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", reported], capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    assert done.stdout == "[]\n"


def test_a_command_is_imported_when_it_is_called():
    commands = Commands()
    assert list(commands) == list(COMMANDS)
    assert {commands[name].name for name in COMMANDS} == {*COMMANDS}
    with pytest.raises(KeyError):
        _ = commands["rnu"]
