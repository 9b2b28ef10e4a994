"""Installed plug-ins: made by name, and listed with their distribution or what is wrong with them."""

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
def test_plugins_are_listed_with_their_distribution_and_broken_ones_with_the_reason(folder, listed):
    out, err = listed("explainers")
    assert re.search(r"^acme_far +Distance from the mean\. \(plug-in of acme 1\.2\)$", out, re.MULTILINE)
    assert re.search(r"^acme_attribution +\(plug-in of acme 1\.2\)$", out, re.MULTILINE)
    assert len(re.findall("^z_score ", out, re.MULTILINE)) == 1
    gone = "plug-in 'acme_gone' of acme 1.2"
    assert err.splitlines() == [
        f"xadbench: {gone}: no module 'none_such', neither installed nor in {folder}",
        "xadbench: plug-in 'acme_nothing' of acme 1.2: Nothing is not an explainer: it lacks fit, explain",
        "xadbench: plug-in 'acme:colon' of acme 1.2: a name may not hold a colon",
        "xadbench: plug-in 'oracle' of acme 1.2: the name is that of a built-in one",
        "xadbench: plug-in 'z_score' of acme 1.2: the name is that of a built-in one",
    ]
    out, err = listed("detectors")
    assert "acme_scores" in out
    assert re.fullmatch(
        r"xadbench: plug-in 'acme_reversed' of acme 1\.2: LocalOutlierFactor scores .*\n", err
    )
    out, err = listed("datasets")
    assert "acme_table" in out
    assert re.fullmatch(
        r"xadbench: plug-in 'acme_data' of acme 1\.2: .* not an object of ndarray\n", err, re.DOTALL
    )


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
def test_whatever_a_plugin_raises_leaves_the_others(folder, listed, text, reason, install):
    install(folder, "bolt", "[xadbench.explainers]\na_bolt = bolt:Far\n")
    (folder / "bolt.py").write_text(text)
    importlib.invalidate_caches()
    sys.modules.pop("bolt", None)
    out, err = listed("explainers")
    assert "acme_far" in out
    assert re.search(f"^xadbench: plug-in 'a_bolt' of bolt 1.2: .*{reason}", err, re.MULTILINE)


@pytest.mark.usefixtures("acme")
def test_of_two_plugins_of_one_name_the_second_is_named_and_left(folder, listed, install, fitted):
    install(folder, "bolt", "[xadbench.explainers]\nacme_far = none_such:gone\n")
    importlib.invalidate_caches()
    assert fitted(make_explainer("acme_far", random_state=0)) == [[1.0, 2.0]]
    _, err = listed("explainers")
    assert "plug-in 'acme_far' of bolt 1.2: the name is that of one of acme 1.2" in err
