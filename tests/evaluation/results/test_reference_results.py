"""Results that ship with the package: they are there, true, and never served in place of others."""

import gzip
from pathlib import Path

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.results import reference_results as shipped
from xadbench.evaluation.results import store
from xadbench.evaluation.results.frame import flatten
from xadbench.evaluation.results.leaderboard import leaderboard
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.runs.reference import run_with_shipped, ship
from xadbench.evaluation.suite.spec import load_suite
from xadbench.evaluation.trial.fit import fit
from xadbench.evaluation.trial.run import run_trial


@pytest.fixture(scope="module")
def quick():
    return {record.key: record for record in shipped.shipped("quick")}


@pytest.fixture(scope="module")
def jobs():
    return plan(load_suite("quick"))


@pytest.fixture
def shipped_small(tmp_path, monkeypatch, put_run):
    """The records of the small suite, shipped in a folder of their own."""
    put_run(tmp_path / "made")
    ship(tmp_path / "made", tmp_path)
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path)
    return shipped.shipped("small")


def test_every_trial_of_quick_is_shipped_as_it_is_now(quick, jobs):
    missing = [
        (job.source.label, job.detector.label, explainer.label)
        for job in jobs
        for key, explainer in job.trials
        if key not in quick
    ]
    assert missing == [], "results changed: CONTRIBUTING.md says how they are shipped anew"


def test_the_readme_shows_what_is_shipped(quick, jobs):
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    keys = [
        key
        for job in jobs
        if (job.source.label, job.detector.label) == ("contextual-d10", "dsil_fixed")
        for key, _ in job.trials
    ]
    board = leaderboard(flatten(quick[key] for key in keys), "detected")
    for _, row in board.iterrows():
        scores = f"{row['adjusted_ndcg_m']:.3f} | {row['adjusted_acc_m']:.3f}"
        assert f"\n| `{row['explainer']}` | {scores} | " in readme
    assert readme.count("\n| `") == len(board)
    facts = {name: board[name].unique().item() for name in ("auc_roc", "oracle_auc_roc", "chance")}
    prose = " ".join(readme.split())
    assert f"AUC-ROC is {facts['auc_roc']:.3f}; " in prose
    assert f"best possible, by the oracle, is {facts['oracle_auc_roc']:.3f}" in prose
    assert f"guessing would get {facts['chance']:.3f}" in prose
    assert f"means over the {board['n_informative'].unique().item():.0f} anomalies" in prose


def test_what_is_shipped_says_where_it_was_made(quick):
    assert all(record.is_finished for record in quick.values())
    assert {"commit", "cpu", "started", "versions"} <= next(iter(quick.values())).origin.keys()


def test_no_path_of_its_maker_is_shipped(shipped_small, tmp_path):
    reported = gzip.decompress((tmp_path / "small.jsonl.gz").read_bytes()).decode()
    assert str(tmp_path) not in reported
    assert not {"command", "sessions"} & shipped_small[0].origin.keys()


def test_a_shipped_result_is_what_is_computed_here(quick, jobs):
    job = next(job for job in jobs if job.detector.name == "iforest")
    key, explainer = next(trial for trial in job.trials if trial[1].name == "z_score")
    here = run_trial(fit(job.source, job.detector), explainer, job.source)["scores"]["detected"]
    there = quick[key].scores["detected"]
    assert here["adjusted_ndcg_m"] == pytest.approx(there["adjusted_ndcg_m"], abs=1e-9)
    assert here["n_rows"] == there["n_rows"]


def test_known_records_are_not_computed(shipped_small, small_suite, stand_ins, tmp_path):
    stand_ins.Distance.n_fits = 0
    news = []
    run_suite(small_suite, tmp_path / "run", lambda record, is_new: news.append(is_new), known=shipped_small)
    assert stand_ins.Distance.n_fits == 0
    assert news == [False] * 12
    assert store.read_trial(tmp_path / "run", shipped_small[0].key).origin["suite"]["name"] == "small"


def test_a_record_of_another_version_is_not_served(
    shipped_small, small_suite, stand_ins, tmp_path, monkeypatch
):
    monkeypatch.setattr(stand_ins.Distance, "version", 2)
    news = []
    run_suite(small_suite, tmp_path / "run", lambda record, is_new: news.append(is_new), known=shipped_small)
    assert news == [True] * 12


def test_to_compute_all_anew_takes_nothing_from_the_run_of_another_suite(
    shipped_small, small_suite, stand_ins, tmp_path
):
    taken = tmp_path / "taken"
    run_suite(small_suite, taken, known=shipped_small)
    other = small_suite.model_copy(update={"name": "other"})
    with pytest.raises(InputError, match="holds the run of another suite"):
        run_with_shipped(other, taken, recompute=True)
    assert [shipped.is_shipped(record) for record in store.read_records(taken)] == [True] * 12
    run_with_shipped(small_suite, taken, recompute=True)
    assert [shipped.is_shipped(record) for record in store.read_records(taken)] == [False] * 12


def test_only_a_finished_run_of_its_own_is_shipped(shipped_small, small_suite, tmp_path):
    run_suite(small_suite, tmp_path / "taken", known=shipped_small)
    with pytest.raises(InputError, match="was not computed there"):
        ship(tmp_path / "taken", tmp_path)
    (tmp_path / "made" / "trials" / f"{shipped_small[0].key}.json").unlink()
    with pytest.raises(InputError, match="missing or failed"):
        ship(tmp_path / "made", tmp_path)
    with pytest.raises(InputError, match=r"no run\.json"):
        ship(tmp_path, tmp_path)


def test_an_unknown_suite_names_those_with_results():
    with pytest.raises(InputError, match=r"unknown suite with shipped results 'ful'.*; known: quick"):
        shipped.shipped("ful")
