import sys

import pytest

from xadbench.evaluation.cli import app as cli

FAR = """\
import numpy as np
def far(detector, background, X, power=1):
    return np.abs(X - background.mean(axis=0)) ** power
def near(detector, background, X):
    return -far(detector, background, X)
class Sum:
    def fit(self, X):
        return self
    def decision_function(self, X):
        return X.sum(axis=1)
class Norm:
    def __init__(self, power=2):
        self.power = power
    def fit(self, X):
        self.mean = X.mean(axis=0)
        return self
    def decision_function(self, X):
        return (np.abs(X - self.mean) ** self.power).sum(axis=1)
def odd(detector, background, X):
    raise ValueError("one\\ntwo")
"""


@pytest.fixture
def check(code_folder, monkeypatch, capsys):
    """What `xadbench check` gives: exit code, standard output, standard error."""
    (code_folder / "mine.py").write_text(FAR)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xadbench", "check", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capsys.readouterr()

    return call


def test_an_explainer_without_a_fault_passes(check):
    code, out, err = check("mine.py:far", "--param", "power=2")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 11)
    assert all(line.startswith("ok      ") for line in lines[:10])
    assert lines[10] == "mine.py:far: 10 of 10 checks passed"


def test_a_fault_is_told_with_what_to_fix(check):
    code, out, err = check("mine:near")
    lines = out.splitlines()
    (fault,) = (i for i, line in enumerate(lines) if line.startswith("FAILED"))
    assert (code, err) == (1, "")
    assert lines[fault].startswith("FAILED  ground_truth: the score is a weighted sum, and feature 2 alone")
    assert lines[fault + 1].startswith("        To fix: higher must mean more responsible")
    assert lines[-1] == "mine:near: 9 of 10 checks passed"


def test_a_detector_is_checked_likewise(check):
    code, out, err = check("mine.py:Norm", "--detector", "--param", "power=3")
    assert (code, err) == (0, "")
    assert out.splitlines()[10] == "mine.py:Norm: 10 of 10 checks passed"
    code, out, err = check("--detector", "mine:Sum")
    lines = out.splitlines()
    faults = [line.partition(":")[0] for line in lines if line.startswith("FAILED")]
    assert (code, err, faults) == (1, "", ["FAILED  anomalies", "FAILED  bad input"])
    assert sum(line.startswith("        To fix: ") for line in lines) == 2
    assert lines[-1] == "mine:Sum: 8 of 10 checks passed"


def test_where_it_does_not_work_at_all_nothing_else_is_tried(check):
    code, out, _ = check("mine:odd")
    assert code == 1
    assert [line[:8] for line in out.splitlines()] == ["FAILED  ", "        ", "mine:odd"]
    assert "it raised ValueError: one two (" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["mine:far", "--param", "pow=2"],
            "unknown parameter of explainer mine:far: 'pow' (did you mean power?); known: power",
        ),
        (["mine:fra"], "no 'fra' in mine; it has: Norm, Sum, far, near, odd"),
        (["mine.py"], "mine.py is a file; which explainer of it? expected mine.py:name"),
        (["mine:FAR"], "no 'FAR' in mine"),
        (
            ["mine:far", "--detector"],
            "expected a class with fit and decision_function, not an object of",
        ),
        (["mine:Norm"], "Norm is not an explainer: it lacks explain"),
        (["mine:Norm", "--detector", "--param", "pow=2"], "unknown parameter of detector mine:Norm: 'pow'"),
        (["mine:far", "--param", "power"], "--param 'power': expected name=value"),
        (["mine:far", "--param", "random_state=1"], "--param 'random_state=1': random_state is that of"),
    ],
)
def test_what_cannot_be_made_is_wrong_input(check, arguments, message):
    code, out, err = check(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"xadbench: {message}")
    assert err.count("\n") == 1
