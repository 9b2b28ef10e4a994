"""What `import xadbench` offers, and what it does not import."""

import subprocess
import sys

import pytest

import xadbench
from xadbench import datasets, evaluation, generator
from xadbench.evaluation.cli.lazy_commands import COMMANDS, Commands

LAZY = ("generate", "inject", "load_recipe", "score_explainer", "run_suite")


@pytest.mark.parametrize("package", [xadbench, datasets, generator, evaluation], ids=lambda one: one.__name__)
def test_public_names_are_there_and_listed(package):
    assert {*package.__all__} <= {*dir(package)}
    assert all(hasattr(package, name) for name in package.__all__)


def test_the_top_level_offers_what_its_packages_do():
    for name in LAZY:
        assert getattr(xadbench, name) in {getattr(generator, name, None), getattr(evaluation, name, None)}
    assert {*LAZY, "__version__"} == {*xadbench.__all__}


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
