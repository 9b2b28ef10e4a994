"""A user's file that imports by a name: a text is traced; anything else is told, and run again if asked."""

import importlib
import json

import pytest

from xadbench.datasets.common import user_code
from xadbench.datasets.common.user_code import load_object, source_hash, untraced_files

EXPLAINER = """
import importlib
import numpy as np
NAME = "helper_of_mine"
def attributions(detector, background, X):
    return np.abs(X) * importlib.import_module({name}).FACTOR
"""


@pytest.fixture
def mine(code_folder):
    def write(name):
        (code_folder / "helper_of_mine.py").write_text("FACTOR = 1")
        (code_folder / "mine.py").write_text(EXPLAINER.format(name=name))
        return code_folder

    return write


def test_a_module_imported_by_a_text_is_part_of_the_source(mine, monkeypatch):
    folder, found = mine("'helper_of_mine'"), set()
    monkeypatch.syspath_prepend(folder)
    for factor in (1, 2):
        (folder / "helper_of_mine.py").write_text(f"FACTOR = {factor}")
        importlib.invalidate_caches()
        monkeypatch.setattr(user_code, "_HASHES", {})  # as in a new process
        one = load_object("mine.py:attributions")
        assert untraced_files(one) == ()
        found.add(source_hash(one))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("line", "is_untraced"),
    [
        ("importlib.import_module(NAME)", True),
        ("__import__(NAME)", True),
        ("exec(open(NAME).read())", True),
        ("__import__('json')", False),
        ("importlib.import_module('json')", False),
        ("model.eval()", False),
    ],
)
def test_code_that_runs_by_a_computed_name_is_told(code_folder, line, is_untraced):
    (code_folder / "some.py").write_text(
        f"import importlib\nNAME = 'json'\ndef one(model=None):\n    {line}\n"
    )
    assert bool(untraced_files(load_object("some.py:one"))) == is_untraced


def test_a_resumed_run_asks_to_recompute_what_it_cannot_trace(mine, xadbench, tmp_path, monkeypatch):
    folder = mine("NAME")
    monkeypatch.syspath_prepend(folder)
    suite = {
        "name": "mine",
        "tables": [{"recipe": "table2-d10-5", "rows": 200}],
        "detectors": ["distance"],
        "explainers": [f"{folder / 'mine.py'}:attributions"],
        "controls": False,
    }
    (tmp_path / "suite.yaml").write_text(json.dumps(suite))
    assert "--recompute" not in xadbench("run", "suite.yaml", "--out", "run")[2]
    (record,) = (json.loads(path.read_text()) for path in (tmp_path / "run" / "trials").iterdir())
    assert "mine" in str(record["components"]["explainer"]["attributions"]["untraced"])
    _, _, err = xadbench("run", "suite.yaml", "--out", "run")
    assert "--recompute" in err
    _, _, err = xadbench("run", "suite.yaml", "--out", "run", "--recompute")
    assert "--recompute" not in err
