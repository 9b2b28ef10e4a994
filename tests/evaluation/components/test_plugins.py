"""Installed plug-ins: made by name, and listed without running their code."""

import importlib
import re
import sys

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer


@pytest.mark.usefixtures("acme")
def test_installed_plugins_are_made_by_name(fitted):
    assert fitted(make_explainer("acme_far", random_state=0, power=2)) == [[1.0, 4.0]]
    assert fitted(make_explainer("acme_attribution", random_state=0)) == [[1.0, 2.0]]
    assert type(make_explainer("z_score", random_state=0)).__name__ == "ZScore"
    assert make_detector("acme_scores", random_state=0).decision_function(np.eye(2)).tolist() == [1, 1]
    assert load_dataset("acme_table", run_code=True).n_rows == 4
    assert load_dataset("acme_extra", run_code=True).n_rows == 4  # pip tells who lacks an extra


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("acme_gone", "plug-in 'acme_gone' of acme 1.2: no module 'none_such'"),
        (
            "acme_nothing",
            "plug-in 'acme_nothing' of acme 1.2: Nothing is not an explainer: it lacks fit, explain",
        ),
        ("acme_fra", "unknown explainer 'acme_fra'.*; known: acme_attribution, acme_far, "),
    ],
)
def test_a_plugin_that_cannot_be_made_is_told_with_its_distribution(name, message):
    with pytest.raises(InputError, match=message):
        make_explainer(name, random_state=0)


@pytest.fixture
def listed(monkeypatch, capsys):
    """What `xadbench list` says, on standard output and on standard error."""

    def call(what):
        monkeypatch.setattr(sys, "argv", ["xadbench", "list", what])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert not exit_.value.code
        return capsys.readouterr()

    return call


@pytest.mark.usefixtures("acme")
def test_plugins_are_listed_by_their_entry_points_and_those_without_a_name_with_the_reason(listed):
    out, err = listed("explainers")
    assert re.search(r"^acme_far +plug-in of acme 1\.2: mine:Far$", out, re.MULTILINE)
    assert re.search(r"^acme_gone +plug-in of acme 1\.2: none_such:Far$", out, re.MULTILINE)
    assert len(re.findall("^z_score ", out, re.MULTILINE)) == 1
    assert err.splitlines() == [
        "xadbench: plug-in 'acme:colon' of acme 1.2: a name may not hold a colon",
        "xadbench: plug-in 'oracle' of acme 1.2: the name is that of a built-in one",
        "xadbench: plug-in 'z_score' of acme 1.2: the name is that of a built-in one",
    ]


@pytest.mark.parametrize("what", ["explainers", "detectors", "datasets"])
def test_a_list_runs_no_code_of_a_plugin(folder, monkeypatch, listed, install, what):
    install(folder, "bolt", f"[xadbench.{what}]\na_bolt = bolt:Far\n")
    (folder / "bolt.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    out, _ = listed(what)
    assert "a_bolt" in out
    assert not (folder / "ran").exists()


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("line", "reason"), [(b"\xff = a:b", "is not UTF-8"), (b"bolt_far", "has a line without =")]
)
def test_a_list_of_entry_points_that_cannot_be_read_leaves_the_others(folder, listed, line, reason, install):
    install(folder, "bolt", "")
    (folder / "bolt-1.2.dist-info" / "entry_points.txt").write_bytes(b"[xadbench.explainers]\n%b\n" % line)
    importlib.invalidate_caches()
    out, err = listed("explainers")
    assert "acme_far" in out
    assert f"xadbench: distribution bolt: its entry_points.txt {reason}\n" in err


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise BaseException('no cheese')", "bolt: importing it raised BaseException: no cheese"),
        ("import pytest; pytest.skip('here', allow_module_level=True)", "importing it raised Skipped: here"),
        ("class Touchy(type):\n    __getattr__ = 1\nFar = Touchy('Far', (), {})", "it raised TypeError: "),
        ("class Touchy(type):\n    __getattr__ = exit\nFar = Touchy('A', (), {})", "it raised SystemExit: "),
    ],
)
def test_whatever_a_plugin_raises_is_told_with_its_distribution(folder, text, reason, install):
    install(folder, "bolt", "[xadbench.explainers]\na_bolt = bolt:Far\n")
    (folder / "bolt.py").write_text(text)
    importlib.invalidate_caches()
    sys.modules.pop("bolt", None)
    with pytest.raises(InputError, match=f"^plug-in 'a_bolt' of bolt 1.2: .*{reason}"):
        make_explainer("a_bolt", random_state=0)


@pytest.mark.usefixtures("acme")
def test_of_two_plugins_of_one_name_the_second_is_named_and_left(folder, listed, install, fitted):
    install(folder, "bolt", "[xadbench.explainers]\nacme_far = none_such:gone\n")
    importlib.invalidate_caches()
    assert fitted(make_explainer("acme_far", random_state=0)) == [[1.0, 2.0]]
    _, err = listed("explainers")
    assert "plug-in 'acme_far' of bolt 1.2: the name is that of one of acme 1.2" in err
