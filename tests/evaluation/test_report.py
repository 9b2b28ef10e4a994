"""The report of a run says what its records say, and no more."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import cli, store
from xadbench.evaluation.report import write_report
from xadbench.evaluation.report.boards import board, boards
from xadbench.evaluation.report.pages import table_paths
from xadbench.evaluation.report.remake import graph, margins, remake
from xadbench.evaluation.report.results import NOT_RUN, VALUE, read_results
from xadbench.evaluation.suite import TableSpec


@pytest.fixture(scope="module")
def results(finished_run):
    return read_results(finished_run)


@pytest.fixture(scope="module")
def made(results):
    return boards(results)


@pytest.fixture(scope="module")
def html(finished_run, tmp_path_factory):
    return write_report(finished_run, tmp_path_factory.mktemp("html")).parent


def cells(scores, **more):
    """Return a row each (table, seed 0, explainer) with the given scores by explainer, a table each."""
    rows = [
        {"table": f"t{i}", "seed": 0, "explainer": name, VALUE: score, "is_reference": False, "status": "ok"}
        for name, values in scores.items()
        for i, score in enumerate(values)
    ]
    blank = ("adjusted_acc_m", "ndcg_m", "acc_m", "chance", "seconds", "kernel_units", "auc_roc")
    return pd.DataFrame(rows).assign(reason=None, **dict.fromkeys(blank, 0.5), **more)


def test_an_entry_with_gaps_is_named_with_reasons_and_not_ranked(made):
    first = made[0]
    assert list(first.ranked.index) == ["good", "fair", "poor_&co"]
    (gap,) = first.missing
    assert (gap.explainer, gap.n_missing, gap.n_cells) == ("gappy", 4, 6)
    assert "skipped: needs a gradient (2 x)" in gap.reasons
    assert "error: ValueError: <b> (2 x)" in gap.reasons


def test_means_are_over_the_cells_that_all_ranked_entries_share(made, results):
    first = made[0]
    names = [len(name) for name in results.trials["table"].unique()]
    assert first.ranked.loc["good", "mean"] == pytest.approx(0.8 + 0.002 * np.mean(names) + 0.005)
    assert first.ranked["rank"].tolist() == [1, 2, 3]
    assert (first.ranked["low"] <= first.ranked["mean"]).all()
    assert (first.ranked["mean"] <= first.ranked["high"]).all()


def test_controls_are_not_ranked(made):
    first = made[0]
    assert set(first.references.index) == {"random", "truth"}
    assert first.references["n"].tolist() == [6, 6]


def test_there_is_a_board_for_each_scope_width_and_detector(made):
    assert len({(one.scope, one.d, one.detector) for one in made}) == 3 * 3 * 2


def test_a_trial_without_a_record_is_said_not_to_have_run(run_folder, trial_record):
    for seed in (0, 1):
        key = trial_record("alpha", seed, "forest", "fair")["key"]
        (run_folder / "trials" / f"{key}.json").unlink()
    read = read_results(run_folder)
    lacking = read.trials[read.trials["status"] == NOT_RUN]
    assert len(lacking[lacking["explainer"] == "fair"]) == 2
    assert set(lacking["explainer"]) == {"fair", "oracle", "inverted_truth"}  # these were never recorded
    assert {gap.explainer for gap in boards(read, n_resamples=1)[0].missing} == {"fair", "gappy"}


def test_a_suite_of_another_version_is_said_not_to_tell_what_has_not_run(run_folder, tmp_path):
    store.write_json(run_folder / "run.json", {"suite": {"name": "old", "novelty": 1}})
    write_report(run_folder, tmp_path / "out")
    assert "of another version" in (tmp_path / "out" / "faults.html").read_text(encoding="utf-8")


def test_an_unreadable_record_counts_as_not_run(run_folder, trial_record):
    key = trial_record("alpha", 0, "forest", "fair")["key"]
    (run_folder / "trials" / f"{key}.json").write_text("{", encoding="utf-8")
    trials = read_results(run_folder).trials
    assert (trials.loc[trials["explainer"] == "fair", "status"] == NOT_RUN).sum() == 1


def test_a_later_record_of_a_trial_replaces_the_earlier_one(run_folder, trial_record):
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, status="error", reason="new", scores={})
    store.write_record(run_folder, again)
    read = read_results(run_folder)
    assert read.n_superseded == 1
    assert "new" in set(read.trials["reason"])


def test_cells_where_nobody_has_a_value_are_named():
    scores = cells({"a": [0.1, 0.2, np.nan], "b": [0.3, 0.4, np.nan]})
    made = board(scores, "detected", "forest")
    assert made.n_cells == 2
    assert made.left_out.startswith("t2 (seed 0): not defined: no explained row")


def test_an_entry_without_any_value_is_missing_and_not_forgotten():
    made = board(cells({"a": [0.1, 0.2], "b": [np.nan, np.nan]}), "detected", "forest")
    assert [(gap.explainer, gap.n_missing) for gap in made.missing] == [("b", 2)]


def test_a_board_without_any_value_has_only_missing_entries():
    made = board(cells({"a": [np.nan], "b": [np.nan]}), "detected", "forest")
    assert made.ranked.empty
    assert [gap.explainer for gap in made.missing] == ["a", "b"]


def test_what_cannot_be_told_from_the_best_is_marked():
    level = np.linspace(0.4, 0.6, 12)
    noise = 0.01 * np.where(np.arange(12) % 2, 1, -1) * np.arange(1, 13)
    made = board(cells({"best": level + 0.001, "near": level + noise, "far": level - 0.3}), "detected", "x")
    assert made.can_differ
    tied = made.ranked["tied"]
    assert tied.drop(made.ranked.index[0]).to_dict() == {made.ranked.index[1]: True, "far": False}


def test_few_tables_are_said_to_tell_nothing_apart():
    made = board(cells({"a": [0.9] * 5, "b": [0.1] * 5}), "detected", "forest")
    assert not made.can_differ
    assert made.ranked["tied"].tolist() == [False, True]


def test_no_name_becomes_markup(html):
    pages = list(html.rglob("*.html"))
    assert len(pages) == 7 + 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<b>" not in text
        assert "<i>" not in text


def test_pages_refer_to_files_of_the_report_alone(html):
    for page in html.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#]+)"', page.read_text(encoding="utf-8")):
            assert target == "data:," or (page.parent / target).is_file(), (page, target)


@pytest.mark.parametrize("form", ["markdown", "csv", "latex"])
def test_tables_are_written_in_each_format(run_folder, tmp_path, form):
    first = write_report(run_folder, tmp_path / "out", form)
    assert first.stem == "leaderboard"
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        "leaderboard",
        "per_table",
        "detectors",
        "not_ok",
    }


def test_csv_has_the_figures_of_the_board(finished_run, tmp_path, made):
    text = write_report(finished_run, tmp_path / "out", "csv").read_text(encoding="utf-8")
    row = pd.read_csv(io.StringIO(text)).iloc[0]
    assert row["explainer"] == "good"
    assert row["adj. nDCG_m"] == pytest.approx(made[0].ranked.loc["good", "mean"])


def test_markdown_and_latex_escape_names(finished_run, tmp_path):
    write_report(finished_run, tmp_path / "out", "markdown")
    text = (tmp_path / "out" / "per_table.md").read_text(encoding="utf-8")
    assert "c\\|c" in text
    assert "<script>" not in text
    tex = write_report(finished_run, tmp_path / "out", "latex").read_text(encoding="utf-8")
    assert "poor\\_\\&co" in tex


def test_paths_of_tables_differ_and_suit_any_file_system():
    paths = table_paths(["a/b", "a b", "../..", "x" * 300]).values()
    assert len(set(paths)) == 4
    assert all(re.fullmatch(r"tables/\d{3}-[A-Za-z0-9._-]{1,60}\.html", path) for path in paths)


def test_a_table_made_again_is_shown_only_if_it_is_the_runs():
    spec = TableSpec(dataset="bundled:wine", inject={"ratio": 0.1})
    facts = {"seed": 0, "n_rows": 100, "n_features": 13, "content_hash": "0" * 64}
    reason = remake(spec, facts)
    assert isinstance(reason, str)
    assert "another one" in reason


def test_a_report_runs_no_code_that_a_run_names(tmp_path):
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef table(): ...\n")
    facts = {"seed": 0, "n_rows": 100, "n_features": 13, "content_hash": "0" * 64}
    reason = remake(TableSpec(dataset=f"{tmp_path}/mine.py:table"), facts)
    assert "cannot be made again: unknown data set" in reason
    assert not (tmp_path / "ran").exists()


def test_margins_and_graph_of_a_table_made_again():
    from xadbench.evaluation.source import load_source  # noqa: PLC0415  # takes a second to import

    spec = TableSpec(recipe="table2-d10-5", rows=60)
    made = load_source(spec, 0)
    facts = {"seed": 0, "n_rows": 60, "n_features": 10, "content_hash": made.hash}
    source = remake(spec, facts)
    assert len(margins(source.table)) == 10
    drawn = graph(source)
    assert set(drawn["places"]) == set(source.network.nodes)
    assert len(drawn["edges"]) == source.network.number_of_edges()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no run\.json"):
        read_results(tmp_path)
    store.write_json(tmp_path / "run.json", {"suite": {}})
    with pytest.raises(InputError, match="no record"):
        read_results(tmp_path)


def test_the_command_writes_into_the_run_unless_told_otherwise(run_folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["xadbench", "report", str(run_folder), "--format", "csv"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert not exit_.value.code
    assert (run_folder / "report" / "leaderboard.csv").is_file()


def test_the_figure_of_cost_is_json_that_holds_no_markup(html):
    text = (html / "cost.html").read_text(encoding="utf-8")
    (source,) = re.findall(r'<script type="application/json" id="scatter">(.*?)</script>', text, re.DOTALL)
    names = [trace["name"] for trace in json.loads(source)["data"]]
    assert names == ["forest", "&lt;b&gt;knn&lt;/b&gt;"]
