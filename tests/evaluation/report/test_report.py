"""The report of a run says what its records say, and no more."""

import dataclasses
import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.metrics import set_sizes
from xadbench.evaluation.regression import compare
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.report.curves import curves
from xadbench.evaluation.report.drawings import MOST_NODES, graph
from xadbench.evaluation.report.examples import examples
from xadbench.evaluation.report.table_pages import table_paths
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import load_attributions
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.ranking import board, boards
from xadbench.evaluation.results.record import RECORD_VERSION
from xadbench.evaluation.results.run_results import COSTS, NOT_RUN, read_results
from xadbench.evaluation.results.table_summary import read_summary
from xadbench.evaluation.suite.spec import Suite


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
    blank = ("adjusted_acc_m", "ndcg_m", "acc_m", "chance", "seconds", "normalised_time", "auc_roc", *COSTS)
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
    assert len({(one.scope, one.d, one.detector) for one in made if one.kind is None}) == 3 * 3 * 2
    assert len({(one.scope, one.d, one.detector, one.kind) for one in made if one.kind}) == 2 * 3 * 2 * 2
    assert not any(one.kind and one.scope == "flagged" for one in made)


def test_a_trial_without_a_record_is_said_not_to_have_run(run_folder, trial_record):
    for seed in (0, 1):
        key = trial_record("alpha", seed, "forest", "fair")["key"]
        (run_folder / "trials" / f"{key}.json").unlink()
    read = read_results(run_folder)
    lacking = read.trials[read.trials["status"] == NOT_RUN]
    assert len(lacking[lacking["explainer"] == "fair"]) == 2
    assert set(lacking["explainer"]) == {"fair", "oracle", "inverted_truth"}  # these were never recorded
    assert {gap.explainer for gap in boards(read, n_resamples=1)[0].missing} == {"fair", "gappy"}


def test_pages_of_tables_that_the_run_has_no_more_go(run_folder, tmp_path):
    write_report(run_folder, tmp_path)
    pages = sorted((tmp_path / "tables").iterdir())
    for name in ("001-of-before.html", "notes.html"):
        (tmp_path / "tables" / name).write_text("")
    write_report(run_folder, tmp_path)
    assert sorted((tmp_path / "tables").iterdir()) == sorted([*pages, tmp_path / "tables" / "notes.html"])


def test_a_suite_of_another_version_is_said_not_to_tell_what_has_not_run(run_folder, tmp_path):
    store.write_json(
        run_folder / "run.json", {"version": RECORD_VERSION, "suite": {"name": "old", "novelty": 1}}
    )
    write_report(run_folder, tmp_path / "out")
    assert "of another version" in (tmp_path / "out" / "faults.html").read_text(encoding="utf-8")


def test_a_suite_of_an_older_version_may_name_controls_and_asks_for_none_that_it_did_not_have(
    small_suite, tmp_path
):
    run_suite(small_suite.model_copy(update={"controls": False}), tmp_path)
    about = store.read_json(tmp_path / "run.json")
    del about["suite"]["controls"]
    store.write_json(tmp_path / "run.json", about)
    assert NOT_RUN not in set(read_results(tmp_path).trials["status"])
    about["suite"]["exclude"] = [{"explainer": "inverted_truth"}]
    store.write_json(tmp_path / "run.json", about)
    assert not read_results(tmp_path).knows_all


def test_an_unreadable_record_counts_as_not_run(run_folder, trial_record):
    key = trial_record("alpha", 0, "forest", "fair")["key"]
    (run_folder / "trials" / f"{key}.json").write_text("{", encoding="utf-8")
    trials = read_results(run_folder).trials
    assert (trials.loc[trials["explainer"] == "fair", "status"] == NOT_RUN).sum() == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"table": {"content_hash": "0"}}, "table.label: Field required"),
        ({"status": "well"}, "status: Input should be 'ok', "),
        ({"detector": None}, "detector: Input should be a valid dictionary"),
        ({"seed": "0"}, "seed: Input should be a valid integer (given: '0')"),
        (
            {"scores": {"detected": {"acc_m": "much"}}},
            "scores.detected.acc_m: Input should be a valid number",
        ),
        ({"cost": {"fit": 3}}, "cost.fit: Input should be a valid dictionary"),
    ],
)
def test_a_record_that_lacks_a_part_is_named_with_its_key(run_folder, trial_record, change, fault):
    record = trial_record("alpha", 0, "forest", "fair")
    path = run_folder / "trials" / f"{record['key']}.json"
    store.write_json(path, record | change)
    with pytest.raises(InputError, match=re.escape(f"{path}: {fault}")):
        read_results(run_folder)
    with pytest.raises(InputError, match=re.escape(f"{path}: {fault}")):
        compare(str(run_folder), str(run_folder))


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
    assert len(pages) == 10 + 3
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


def test_metrics_that_are_asked_for_are_shown_with_the_rows_that_have_no_value(
    run_folder, trial_record, tmp_path
):
    values = {"infidelity": 0.25, "n_undefined_infidelity": 0, "fidelity": None, "n_undefined_fidelity": 7}
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, scores={"detected": values})
    store.write_record(run_folder, again)
    shown = pd.read_csv(write_report(run_folder, tmp_path, "csv").parent / "metrics.csv")
    rows = shown[(shown["detector"] == "forest") & (shown["explainer"] == "fair")].set_index("metric")
    assert list(rows.index) == ["fidelity", "infidelity"]
    assert rows.loc["infidelity", ["mean", "undefined"]].tolist() == [0.25, 0]
    assert (np.isnan(rows.loc["fidelity", "mean"]), rows.loc["fidelity", "undefined"]) == (True, 7)
    write_report(run_folder, tmp_path)
    text = (tmp_path / "metrics.html").read_text(encoding="utf-8")
    assert re.search(r'>fair</th><td class="n" data-value="nan">–</td><td class="n">7</td>', text)  # noqa: RUF001


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


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no run\.json"):
        read_results(tmp_path)
    store.write_json(tmp_path / "run.json", {"version": RECORD_VERSION, "suite": {}})
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


def test_a_kind_has_a_board_of_its_own_scores(made):
    by_kind = {
        one.kind: one for one in made if (one.scope, one.detector, one.d) == ("detected", "forest", None)
    }
    assert set(by_kind) == {None, "global", "<b>local</b>"}
    good = {kind: one.ranked.loc["good", "mean"] for kind, one in by_kind.items()}
    assert good["global"] == pytest.approx(good[None])
    assert good["<b>local</b>"] == pytest.approx(good[None] - 0.3)


def test_records_without_scores_by_kind_are_said_to_be_older(run_folder, trial_record):
    for seed in (0, 1):
        old = trial_record("alpha", seed, "forest", "fair")
        del old["scores_by_kind"]
        store.write_record(run_folder, old)
    made = boards(read_results(run_folder), n_resamples=1)
    first, of_kind = made[0], next(one for one in made if one.kind == "global")
    assert "fair" in first.ranked.index
    (gap,) = (gap for gap in of_kind.missing if gap.explainer == "fair")
    assert (gap.n_missing, gap.n_cells) == (2, 6)
    assert "an older record" in gap.reasons


def test_a_run_without_scores_by_kind_says_so(run_folder, tmp_path):
    for path in (run_folder / "trials").iterdir():
        record = store.read_json(path)
        store.write_json(path, {name: of for name, of in record.items() if name != "scores_by_kind"})
    write_report(run_folder, tmp_path / "out")
    text = (tmp_path / "out" / "kinds.html").read_text(encoding="utf-8")
    assert "do not have scores by kind" in text


def test_the_heat_map_has_each_explainer_and_kind_and_dashes_where_one_is_missing(html):
    text = (html / "kinds.html").read_text(encoding="utf-8")
    (forest, _) = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    rows = {
        re.search('row">([^ <]+)', row)[1]: re.findall(">([^<>]+)</td>", row)
        for row in forest.split("</tr>")[:-1]
    }
    assert set(rows) == {"good", "fair", "poor_&amp;co", "random", "truth"}
    assert float(rows["good"][1]) - float(rows["good"][0]) == pytest.approx(0.3)
    assert "gappy, 4 of 6 cells" in text


def test_curves_are_means_over_the_cells_that_all_have(results):
    forest = next(of for of in curves(results) if of.detector == "forest")
    assert forest.metric == "faithfulness"
    assert forest.n_cells == 6
    assert set(forest.missing) == {"gappy", "inverted_truth", "oracle"}  # skipped, or never run
    assert list(forest.means.index)[:2] == ["truth", "good"]
    own = results.scores.query("detector == 'forest' and explainer == 'good' and scope == 'detected'")
    assert forest.means.loc["good"].iloc[0] == pytest.approx(own[VALUE].mean())
    assert forest.means.loc["good"].iloc[-1] == pytest.approx(own[VALUE].mean() - 0.3)


def test_curves_of_tables_of_one_width_are_by_number_of_features(results):
    trials = results.trials.assign(n_features=5)
    same = dataclasses.replace(results, trials=trials)
    assert next(curves(same)).places == [f"k = {k}" for k in set_sizes(5)]


def test_examples_show_truth_and_attribution_side_by_side(finished_run, trial_record):
    summary = read_summary(finished_run, "0" * 64)
    attributions = {
        name: load_attributions(finished_run, trial_record("alpha", 0, "forest", name)["key"])
        for name in ("good", "fair")
    }
    shown = examples(summary, attributions)
    assert [example.is_detected for example in shown] == [True, False, True]
    assert [example.ndcg_m for example in shown[:2]] == [[1.0, 0.0]] * 2
    first = shown[0].features[0]
    assert (first.name, first.value, first.clean, first.is_true) == ("<i>x0</i>", 3.0, 0.5, True)
    assert first.attributions == [1.0, 0.0]
    assert len(shown[0].features) == 8


def test_pages_of_tables_have_examples_where_attributions_were_kept(html):
    alpha, *others = sorted((html / "tables").iterdir())
    text = alpha.read_text(encoding="utf-8")
    assert text.count("responsible</td>") == 1 + 1 + 7
    assert "Row 1: &lt;b&gt;local&lt;/b&gt;, not detected" in text
    assert "--recompute makes them again" not in text
    assert all("an older run, which saved nothing" in other.read_text(encoding="utf-8") for other in others)


def test_a_large_graph_is_told_and_not_drawn():
    nodes = [f"x{i}" for i in range(MOST_NODES + 1)]
    drawn = graph({"graph": {"nodes": nodes, "edges": [["x0", "x1"]]}})
    assert not drawn["places"]
    assert drawn["parents"]["x1"] == ["x0"]


def test_every_session_of_a_run_is_on_the_page_of_its_provenance(run_folder, tmp_path):
    first = {"command": ["xadbench", "run"], "commit": "abc", "ended": None, "versions": {"numpy": "1.0"}}
    about = store.read_json(run_folder / "run.json") | {"sessions": [first, {"commit": "def"}]}
    store.write_json(run_folder / "run.json", about)
    page = (write_report(run_folder, tmp_path / "out").parent / "provenance.html").read_text(encoding="utf-8")
    rows = dict(re.findall(r"<code>(sessions\S+)</code></th><td>([^<]*)</td>", page))
    assert rows == {
        "sessions[0].command": "xadbench, run",
        "sessions[0].commit": "abc",
        "sessions[0].ended": "None",
        "sessions[0].versions.numpy": "1.0",
        "sessions[1].commit": "def",
    }


@pytest.mark.parametrize("form", ["html", "markdown", "csv", "latex"])
def test_a_run_without_any_score_has_a_report(tmp_path, form):
    table = {"dataset": "bundled:wine"}  # whose ground truth nobody knows
    suite = Suite(name="scoreless", tables=[table], detectors=["gaussian"], explainers=["z_score"])
    run_suite(suite, tmp_path / "run")
    assert write_report(tmp_path / "run", tmp_path / "report", form).stat().st_size > 0


def test_one_source_alone_tells_no_entries_apart():
    made = board(cells({"a": [0.9], "b": [0.1]}), "detected", "forest")
    assert made.n_sources == 1
    assert not made.can_differ
    assert made.ranked["tied"].to_dict() == {"a": False, "b": True}
    assert made.groups == [["a", "b"]]


@pytest.mark.parametrize("known", ["fit", "explain"])
def test_memory_is_not_known_where_that_of_a_part_is_not(run_folder, trial_record, known):
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, cost={known: {"peak_bytes": 1.0}})
    store.write_record(run_folder, again)
    trials = read_results(run_folder).trials.set_index("key")
    assert np.isnan(trials.loc["f" * 64, "peak_bytes"])


def test_costs_are_distinguished(run_folder, tmp_path):
    for path in store.paths(run_folder):
        record = store.read_record(run_folder, path.stem)
        record["cost"] = {
            part: {"cpu_seconds": seconds, "rows_scored": 1000.0, "peak_bytes": seconds * 1e6}
            for part, seconds in (("fit", 11.0), ("explain", 13.0))
        }
        store.write_record(run_folder, record)
    page = (write_report(run_folder, tmp_path).parent / "cost.html").read_text(encoding="utf-8")
    _, *cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page.split('scope="row">good', 1)[1])
    assert cells[2:6] == ["11", "13", "2000", "13.0"]


def test_an_interval_ends_where_the_score_does():
    made = board(cells({"a": [0.99, 0.5], "b": [0.1, 0.2]}), "detected", "forest")
    assert made.ranked.loc["a", "high"] == 1
    assert made.ranked.loc["a", "low"] < 0
