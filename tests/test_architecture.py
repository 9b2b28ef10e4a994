"""The architecture page names what is there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:\w+/)*\w+)\.py(?::(\w+))?`", PAGE)))
FOLDERS = sorted(set(re.findall(r"`((?:\w+/)+)`", PAGE)))


@pytest.mark.parametrize(("path", "function"), NAMED)
def test_the_module_and_its_function_are_there(path, function):
    module = import_module(f"xadbench.{path.replace('/', '.')}")
    assert not function or callable(getattr(module, function))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_a_package(folder):
    assert import_module(f"xadbench.{folder.strip('/').replace('/', '.')}").__doc__


def test_every_folder_of_evaluation_is_in_the_picture():
    layers = PAGE.partition("## The layers of `evaluation`")[2].partition("## ")[0]
    folders = {path.parent.name for path in (ROOT / "evaluation").glob("*/__init__.py")}
    assert folders <= set(re.findall(r"\w+", layers))
