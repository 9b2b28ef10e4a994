"""Files of a report, in each format."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.suite.spec import Suite


def test_pages_of_tables_that_the_run_has_no_more_go(small_run_folder, tmp_path):
    write_report(small_run_folder, tmp_path)
    pages = sorted((tmp_path / "tables").iterdir())
    for name in ("001-of-before.html", "notes.html"):
        (tmp_path / "tables" / name).write_text("")
    write_report(small_run_folder, tmp_path)
    assert sorted((tmp_path / "tables").iterdir()) == sorted([*pages, tmp_path / "tables" / "notes.html"])


@pytest.mark.parametrize("form", ["markdown", "csv", "latex"])
def test_tables_are_written_in_each_format(written, form):
    first = written(form)
    assert first.stem == "leaderboard"
    assert {path.stem for path in first.parent.iterdir()} == {
        "leaderboard",
        "per_table",
        "detectors",
        "not_ok",
    }


def test_metrics_that_are_asked_for_are_shown_with_the_rows_that_have_no_value(
    small_run_folder, trial_record, tmp_path
):
    values = {"infidelity": 0.25, "n_undefined_infidelity": 0, "fidelity": None, "n_undefined_fidelity": 7}
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, scores={"detected": values})
    store.write_record(small_run_folder, as_trial(again, "a record"))
    shown = pd.read_csv(write_report(small_run_folder, tmp_path, "csv").parent / "metrics.csv")
    rows = shown[(shown["detector"] == "forest") & (shown["explainer"] == "fair")].set_index("metric")
    assert list(rows.index) == ["fidelity", "infidelity"]
    assert rows.loc["infidelity", ["mean", "undefined"]].tolist() == [0.25, 0]
    assert (np.isnan(rows.loc["fidelity", "mean"]), rows.loc["fidelity", "undefined"]) == (True, 7)
    write_report(small_run_folder, tmp_path)
    text = (tmp_path / "metrics.html").read_text(encoding="utf-8")
    assert re.search(r'>fair</th><td class="n" data-value="nan">–</td><td class="n">7</td>', text)  # noqa: RUF001


def test_csv_has_the_figures_of_the_board(written, made):
    text = written("csv").read_text(encoding="utf-8")
    row = pd.read_csv(io.StringIO(text)).iloc[0]
    assert row["explainer"] == "good"
    assert row["adj. nDCG_m"] == pytest.approx(made[0].ranked.loc["good", "mean"])


def test_markdown_and_latex_escape_names(written):
    text = written("markdown").with_name("per_table.md").read_text(encoding="utf-8")
    assert "c\\|c" in text
    assert "<script>" not in text
    tex = written("latex").read_text(encoding="utf-8")
    assert "poor\\_\\&co" in tex


def test_the_command_writes_into_the_run_unless_told_otherwise(small_run_folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["xadbench", "report", str(small_run_folder), "--format", "csv"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert not exit_.value.code
    assert (small_run_folder / "report" / "leaderboard.csv").is_file()


@pytest.mark.parametrize("form", ["html", "markdown", "csv", "latex"])
def test_a_run_without_any_score_has_a_report(tmp_path, form):
    table = {"dataset": "bundled:wine"}  # whose ground truth nobody knows
    suite = Suite(name="scoreless", tables=[table], detectors=["gaussian"], explainers=["z_score"])
    run_suite(suite, tmp_path / "run")
    assert write_report(tmp_path / "run", tmp_path / "report", form).stat().st_size > 0
