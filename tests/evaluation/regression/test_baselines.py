"""Named baselines, and the history of runs."""

import json
import re

import pyarrow.parquet as pq
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.regression import compare, read_run
from xadbench.evaluation.regression.baselines import (
    baseline_names,
    load_baseline,
    means,
    save_baseline,
    summary,
)
from xadbench.evaluation.report.history import histories, read_runs, write_history
from xadbench.evaluation.results import store
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
from xadbench.evaluation.results.stored_runs import of_records

METRIC, SCOPE = "adjusted_ndcg_m", "detected"


def test_a_baseline_stands_for_its_run(run_folder, tmp_path):
    baselines = tmp_path / "baselines"
    path = save_baseline("main", str(run_folder), baselines)
    assert path == baselines / "main.parquet"
    assert path.stat().st_size < 50_000
    check = compare("main", str(run_folder), baselines=baselines)
    assert check.passed
    assert {one.change for one in check.comparisons} == {0, 1}
    assert [notice.text for notice in check.notices] == []
    assert load_baseline("main", baselines).suite == "small"


def test_a_baseline_keeps_failures_and_skips(run_folder, tmp_path):
    save_baseline("main", str(run_folder), tmp_path)
    statuses = load_baseline("main", tmp_path).trials["status"].value_counts()
    assert statuses.to_dict() == {"ok": 40, "skipped": 4, "error": 4}
    assert summary(load_baseline("main", tmp_path)).endswith("48 trials: 40 ok, 4 skipped, 4 error")


def test_a_baseline_is_replaced_only_if_asked(run_folder, tmp_path):
    save_baseline("main", str(run_folder), tmp_path)
    with pytest.raises(InputError, match=r"main.parquet exists already; choose another name or --replace it"):
        save_baseline("main", str(run_folder), tmp_path)
    save_baseline("main", str(run_folder), tmp_path, replace=True)
    assert baseline_names(tmp_path) == ["main"]


def test_a_baseline_does_not_say_who_made_it(run_folder, tmp_path):
    about = store.read_json(run_folder / "run.json") | {
        "command": ["/home/me/xadbench"],
        "sessions": [{"command": ["/home/me/xadbench"]}],
        "ended": "2026-01-01",
    }
    store.write_json(run_folder / "run.json", about)
    path = save_baseline("main", str(run_folder), tmp_path / "b")
    assert b"/home/me" not in path.read_bytes()
    assert json.loads(pq.read_schema(path).metadata[b"xadbench"])["ended"] == "2026-01-01"


def test_an_unfinished_run_is_no_baseline(run_folder, tmp_path):
    store.write_json(run_folder / "run.json", store.read_json(run_folder / "run.json") | {"ended": None})
    with pytest.raises(InputError, match="the run is not finished"):
        save_baseline("main", str(run_folder), tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["", ".", "../main", "a/b", ".hidden", "a\n", "x" * 101, "é"])
def test_a_name_is_no_path(run_folder, tmp_path, name):
    with pytest.raises(InputError, match="expected letters, digits"):
        save_baseline(name, str(run_folder), tmp_path / "b")
    with pytest.raises(InputError, match="expected letters, digits"):
        load_baseline(name, tmp_path / "b")


def test_a_run_is_not_looked_for_outside_the_folder(run_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_baseline("outside", str(run_folder), tmp_path)
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="not found"):
        read_run("../outside", tmp_path / "b")


def test_an_unknown_baseline_names_the_known_ones(run_folder, tmp_path):
    save_baseline("main", str(run_folder), tmp_path)
    with pytest.raises(InputError, match=r"unknown baseline in .*: 'mian'.*; known: main"):
        load_baseline("mian", tmp_path)
    with pytest.raises(InputError, match=r"mian: not found; .*: main\)"):
        read_run("mian", tmp_path)


def test_a_broken_baseline_hides_no_other(run_folder, tmp_path, xadbench):
    save_baseline("good", str(run_folder), tmp_path)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    code, out, _ = xadbench("baseline", "show", "--dir", tmp_path)
    assert code == 0
    broken, good = out.splitlines()
    assert broken.split()[:4] == ["broken", "cannot", "be", "used:"]
    assert good.split()[0] == "good"


def test_means_are_by_explainer_the_best_first(run_folder):
    shown = means(read_run(str(run_folder)), SCOPE, METRIC)
    assert list(shown.index) == ["gappy", "good", "fair", "poor_&co"]
    assert shown.loc["good", "trials"] == 12


def test_means_are_over_sources_and_count_what_is_defined(trial_record):
    def scored(table, seed, value):
        record = trial_record(table, seed, "forest", "good")
        record["scores"] = {SCOPE: record["scores"][SCOPE] | {METRIC: value}}
        return record

    records = [scored("a", 0, 0.2), scored("a", 1, 0.4), scored("b", 0, 0.9), scored("b", 1, None)]
    shown = means(of_records("r", records, RunDescription()), SCOPE, METRIC)
    assert shown.loc["good", METRIC] == pytest.approx((0.3 + 0.9) / 2)
    assert shown.loc["good", "trials"] == 3


def test_what_a_baseline_holds_does_not_steer_a_terminal(trial_record, tmp_path, xadbench):
    record = trial_record("a", 0, "forest", "good")
    record["explainer"]["label"] = "e\x1b[31m|vil"
    store.write_record(tmp_path / "run", as_trial(record, "a record"))
    store.write_json(
        tmp_path / "run" / "run.json",
        {"version": RECORD_VERSION, "suite": {"name": "s\x1b[31m"}, "ended": "now"},
    )
    xadbench("baseline", "save", "odd", tmp_path / "run", "--dir", tmp_path)
    for arguments in (["odd"], []):
        _, shown, _ = xadbench("baseline", "show", *arguments, "--dir", tmp_path)
        assert "\x1b" not in shown
        assert r"s\x1b[31m" in shown
        assert not arguments or r"e\x1b[31m|vil" in shown


def run_of(records, name, commit, started, suite="small"):
    about = RunDescription(commit=commit, started=started, suite={"name": suite})
    return of_records(name, records, about)


@pytest.fixture
def runs(finished_run):
    """Two runs a day apart, the later one given first, and slower and worse in `good`."""
    records = store.read_records(finished_run)
    later = [json.loads(json.dumps(record.as_json())) for record in records]
    for record in later:
        if record["explainer"]["label"] == "good":
            record["normalised_time"] *= 2
            record["scores"][SCOPE][METRIC] -= 0.1
    first, second = ("aaa", "2026-01-01T00:00:00"), ("bbb", "2026-01-02T00:00:00")
    return [run_of(later, "later", *second), run_of(records, "<script>alert(1)</script>", *first)]


def test_a_history_is_in_the_order_of_time(runs):
    (history,) = histories(runs, METRIC, SCOPE)
    assert list(history.runs["commit"]) == ["aaa", "bbb"]
    before, after = history.scores["good"]
    assert before - after == pytest.approx(0.1)
    assert list(history.times["good"]) == pytest.approx([10, 20])
    assert history.scores["fair"].nunique() == 1


def test_a_history_averages_over_what_the_runs_share(runs):
    lacking = runs[0].scores[runs[0].scores["table"] != "alpha"]
    object.__setattr__(runs[0], "scores", lacking)
    (history,) = histories(runs, METRIC, SCOPE)
    assert history.scores["fair"].nunique() == 1  # not lower for the table that is gone


def test_each_suite_has_its_history(finished_run):
    records = store.read_records(finished_run)
    both = [run_of(records, "a", "c", "2026", suite) for suite in ("one", "two")]
    assert [history.suite for history in histories(both, METRIC, SCOPE)] == ["one", "two"]


def test_the_page_needs_nothing_else_and_escapes_names(runs, tmp_path):
    page = write_history(runs, tmp_path / "history.html", METRIC, SCOPE).read_text()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)  # plotly's, and the report's
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in own
    figure = json.loads(re.findall(r'application/json" id="suite-0-score">(.*?)</script>', page)[0])
    assert "poor_&amp;co" in {line["name"] for line in figure["data"]}  # plotly reads markup in names
    assert not re.findall(r'(?:src|href)="(?!data:)', own)
    assert "Plotly" in page
    assert "aaa" in own


def test_an_explainer_has_one_colour_on_the_page(runs, tmp_path):
    page = write_history(runs, tmp_path / "history.html", METRIC, SCOPE).read_text()
    parts = re.findall(r'application/json" id="suite-0-(?:score|time)">(.*?)</script>', page)
    score, time = (
        {line["name"]: line["line"]["color"] for line in json.loads(part)["data"]} for part in parts
    )
    assert score == time


def test_runs_are_found_in_folders(run_folder, tmp_path):
    save_baseline("main", str(run_folder), tmp_path / "artifacts")
    assert len(read_runs([tmp_path / "artifacts", run_folder])) == 2
    (tmp_path / "more").mkdir()
    run_folder.rename(tmp_path / "more" / "one")
    assert len(read_runs([tmp_path / "more"])) == 1


@pytest.mark.parametrize("place", ["gone", "."])
def test_where_there_is_no_run_a_history_is_refused(tmp_path, place):
    with pytest.raises(InputError, match=r"not found; expected|no run in that folder"):
        read_runs([tmp_path / place])
    with pytest.raises(InputError, match="no run to show"):
        histories([], METRIC, SCOPE)
