"""Audits of anomalies injected into a data set: leaks are found, and end a command or a build."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from xadbench.datasets import InputError, LabelledTable
from xadbench.datasets.rng import stream
from xadbench.evaluation.audit.recipes import injected_controls, publish_injection
from xadbench.evaluation.cli.app import app, main
from xadbench.evaluation.leaks.controls import LeakFound, check_leaks, leaks
from xadbench.generator.injection.feature_types import Columns
from xadbench.generator.releases.build import build
from xadbench.generator.releases.spec import Release


@pytest.fixture
def decimals():
    X = np.round(stream(0, "decimals").standard_normal((800, 6)), 2)
    return LabelledTable(X=X, y=np.zeros(800, bool))


@pytest.fixture
def leaky(monkeypatch):
    """Injected values keep all their digits, as they once did."""
    monkeypatch.setattr(Columns, "typed", lambda self, values, rng, *, in_range: values)


def test_each_kind_is_injected_by_itself_and_none_leaks(decimals):
    controls, infeasible = injected_controls(decimals, ["additive", "swap"], ratio=0.1)
    assert set(controls["kind"]) == {"additive", "swap"}
    assert not infeasible
    assert len(leaks(controls)) == 0


def test_kinds_that_cannot_be_made_are_named_and_the_others_go_on(tmp_path):
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 7)).reshape(7, -1).T
    table = LabelledTable(X=corners, y=np.zeros(len(corners), bool))
    console = Console(record=True, file=io.StringIO(), width=300)
    publish_injection("all", table, ["additive", "swap"], console, tmp_path / "a.json", ratio=0.2)
    assert "all, additive: cannot be made: anomaly kind 'additive' cannot change" in console.export_text()
    written = json.loads((tmp_path / "a.json").read_text())
    assert set(written["infeasible"]) == {"additive"}
    assert {one["kind"] for one in written["leak_controls"]} == {"swap"}
    with pytest.raises(InputError, match="all: anomaly kind 'additive' cannot change"):
        publish_injection("all", table, ["additive"], console, ratio=0.2)


@pytest.mark.usefixtures("leaky")
def test_a_leak_is_found_and_said(decimals):
    console = Console(record=True, file=io.StringIO(), width=200)
    with pytest.raises(LeakFound, match="mine: digits"):
        publish_injection("mine", decimals, ["additive"], console, ratio=0.1)
    assert "leak" in console.export_text()


@pytest.mark.usefixtures("leaky")
def test_the_command_ends_with_exit_code_1_for_a_leak(decimals, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savetxt("mine.csv", decimals.X, "%.2f", ",", header="a,b,c,d,e,f", comments="")
    monkeypatch.setattr("sys.argv", ["xadbench", "audit", "mine.csv", "--kind", "additive", "--ratio", "0.1"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "mine.csv: digits" in capsys.readouterr().err


def test_the_papers_protocol_is_shown_and_not_evaluated(decimals):
    controls, _ = injected_controls(decimals, ["swap"], ratio=0.2, protocol="paper")
    assert controls["exempt"].all()
    assert controls.set_index("control").loc["columns", "score"] > 0.5


RELEASE = {
    "name": "one",
    "version": "1.0.0",
    "date": "2026-11-30",
    "licence": "CC-BY-4.0",
    "description": "for a test",
    "tables": [{"inject": {"dataset": "mine.csv", "kinds": ["additive"], "ratio": 0.1}, "seeds": [0]}],
}


@pytest.fixture
def release(decimals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("mine.csv", decimals.X, "%.2f", ",", header="a,b,c,d,e,f", comments="")
    return Release.model_validate(RELEASE)


def test_a_release_holds_its_leak_controls(release, tmp_path):
    build(release, tmp_path / "built", check=check_leaks)
    assert "none above its null" in (tmp_path / "built" / "leaks.md").read_text()
    assert "leaks.md" in (tmp_path / "built" / "manifest.json").read_text()


@pytest.mark.usefixtures("leaky")
def test_a_release_that_leaks_is_not_finished(release, tmp_path):
    with pytest.raises(LeakFound, match="injected-mine/seed-0: leak control 'digits'"):
        build(release, tmp_path / "built", check=check_leaks)
    assert not (tmp_path / "built" / "manifest.json").exists()


def test_help_names_data_sets(capsys):
    with pytest.raises(SystemExit):
        app(["audit", "--help"])
    assert "data set" in capsys.readouterr().out
