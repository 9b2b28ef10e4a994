import gc
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from xadbench.datasets import InputError, write_table
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation import run_suite
from xadbench.evaluation.metrics import METRICS, SET_SIZES
from xadbench.evaluation.regression.pairing import pair
from xadbench.evaluation.regression.verdict import Criteria, compare_pairs
from xadbench.evaluation.results import provenance, store
from xadbench.evaluation.results.frame import tidy
from xadbench.evaluation.results.leaderboard import leaderboard
from xadbench.evaluation.results.ranking import boards
from xadbench.evaluation.results.run_results import read_results
from xadbench.evaluation.results.stored_runs import read_run
from xadbench.evaluation.runs import worker_logs as logs
from xadbench.evaluation.suite.expand import n_trials
from xadbench.evaluation.suite.spec import Component, Suite
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial.outcome import REASON_CHARACTERS


def with_faulty(suite, fault):
    faulty = Component(name="faulty", params={"fault": fault})
    return suite.model_copy(update={"explainers": (*suite.explainers, faulty)})


def test_every_trial_leaves_a_record_and_every_board_has_its_controls(small_suite, tmp_path):
    records = run_suite(small_suite, tmp_path / "run")
    assert len(records) == n_trials(small_suite) == 2 * 6
    assert {r.explainer.name for r in records} == {
        "z_score",
        "random",
        "oracle",
        "oracle_network",
        "truth",
        "inverted_truth",
    }
    files = {path.stem for path in (tmp_path / "run" / "trials").iterdir()}
    assert files == {r.key for r in records}


def test_the_oracle_as_a_detector_is_skipped_where_the_network_is_not_known(tmp_path):
    suite = Suite.model_validate(
        {
            "name": "ceiling",
            "tables": [
                {"recipe": "table2-d10-5", "rows": 200},
                {"dataset": "bundled:wine", "inject": {"ratio": 0.2}},
            ],
            "detectors": ["oracle"],
            "explainers": ["z_score"],
        }
    )
    records = run_suite(suite, tmp_path)
    assert [record.status for record in records] == ["ok"] * 6 + ["skipped"] * 6
    quality = records[0].detector.quality
    assert quality["auc_roc"] == quality["oracle_auc_roc"]


def test_finished_trials_are_not_repeated(small_suite, tmp_path, stand_ins):
    first = run_suite(small_suite, tmp_path)
    fits, finished = stand_ins.Distance.n_fits, []
    again = run_suite(small_suite, tmp_path, on_trial=lambda record, is_new: finished.append(is_new))
    assert stand_ins.Distance.n_fits == fits == 2
    assert finished == [False] * 12
    assert again == first
    assert tidy(again).equals(tidy(first))


def test_an_interrupted_run_goes_on_where_it_stopped(small_suite, tmp_path):
    n_before = 3

    def interrupt(record, is_new):
        if sum(1 for _ in (tmp_path / "trials").iterdir()) == n_before:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(small_suite, tmp_path, on_trial=interrupt)
    finished = []
    run_suite(small_suite, tmp_path, on_trial=lambda record, is_new: finished.append(is_new))
    assert finished == [False] * n_before + [True] * (12 - n_before)


def test_an_interrupt_inside_a_trial_loses_that_trial_alone(small_suite, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_suite(with_faulty(small_suite, "interrupt"), tmp_path)
    assert len(list((tmp_path / "trials").iterdir())) == 2


def test_a_fault_ends_its_trial_alone_and_runs_again(small_suite, tmp_path, stand_ins):
    suite = with_faulty(small_suite, "raise")
    for attempt in (1, 2):
        statuses = [record.status for record in run_suite(suite, tmp_path)]
        assert statuses.count("error") == 2
        assert statuses.count("ok") == 12
        assert stand_ins.Faulty.n_calls == 2 * attempt


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise asyncio.CancelledError('stop')", "CancelledError: stop"),
        ("raise RuntimeError('\\udc80')", "RuntimeError: \\udc80"),
        ("raise RuntimeError('a' * 10**7)", f"RuntimeError: {'a' * (REASON_CHARACTERS - 14)}..."),
        ("raise Wordless", "Wordless"),
        ("os.chdir('/'); raise RuntimeError('gone')", "RuntimeError: gone"),
    ],
)
def test_whatever_a_users_code_raises_ends_its_trial_alone(small_suite, tmp_path, monkeypatch, code, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "import asyncio, os\n"
        "class Wordless(Exception):\n    def __str__(self):\n        raise SystemExit\n"
        f"def explain(detector, background, X):\n    {code}\n",
        encoding="utf-8",
    )
    mine = Component(name="mine.py:explain"), Component(name="z_score")
    detectors = Component(name="gaussian"), Component(name="oracle")
    suite = small_suite.model_copy(update={"explainers": mine, "detectors": detectors})
    records = run_suite(suite, "run")
    assert {r.reason for r in records if r.explainer.label == "explain"} == {reason}
    assert {r.status for r in records if r.explainer.label != "explain"} == {"ok"}
    assert store.load(tmp_path / "run")["key"].nunique() == len(records)


def test_a_detector_that_cannot_be_fitted_is_an_error_of_its_trials(
    small_suite, tmp_path, stand_ins, monkeypatch
):
    monkeypatch.setattr(stand_ins.Distance, "fit", lambda self, X: 1 / 0)
    records = run_suite(small_suite, tmp_path)
    assert {r.status for r in records} == {"error"}
    assert "ZeroDivisionError" in records[0].reason


def test_a_reused_record_comes_under_the_suites_labels(small_suite, tmp_path, put_run):
    put_run(tmp_path)
    renamed = {"tables": (small_suite.tables[0].model_copy(update={"name": "other"}),)}
    records = run_suite(small_suite.model_copy(update=renamed), tmp_path)
    assert {record.table.label for record in records} == {"other"}


def test_a_folder_of_another_suite_is_refused(small_suite, tmp_path, put_run):
    put_run(tmp_path)
    with pytest.raises(InputError, match="holds the run of another suite"):
        run_suite(small_suite.model_copy(update={"name": "large"}), tmp_path)


def test_a_control_cannot_be_replaced(small_suite, tmp_path):
    fake = Component(name="random", label="truth")
    with pytest.raises(InputError, match="has the label of a control, 'truth'"):
        run_suite(small_suite.model_copy(update={"explainers": (fake,)}), tmp_path)


def test_an_oracle_that_was_skipped_runs_once_the_network_is_known(small_suite, tmp_path):
    recipe = small_suite.tables[0]
    write_table(load_source(recipe, 0).table, tmp_path / "t")
    file = recipe.model_validate({"dataset": str(tmp_path / "t")})
    for spec, status in ((file, "skipped"), (recipe, "ok")):
        suite = small_suite.model_copy(update={"tables": (spec,), "seeds": (0,)})
        records = run_suite(suite, tmp_path / "run")
        assert [one.status for one in records if one.explainer.name == "oracle"] == [status]


@pytest.mark.parametrize(
    "left", ['{"key": ', '{"key": "KEY"}', '{"key": "KEY", "status": "ok", "table": null}']
)
def test_what_is_not_the_whole_record_of_a_trial_is_computed_again(small_suite, tmp_path, left, put_run):
    record = put_run(tmp_path)[0]
    (tmp_path / "trials" / f"{record.key}.json").write_text(left.replace("KEY", record.key))
    finished = []
    run_suite(small_suite, tmp_path, on_trial=lambda record, is_new: finished.append(is_new))
    assert finished.count(True) == 1


def test_what_a_killed_run_left_half_written_is_swept_but_not_what_another_is_writing(small_suite, tmp_path):
    old, young = (tmp_path / "trials" / f".{name * 64}.json-abcdefgh" for name in "01")
    old.parent.mkdir()
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    run_suite(small_suite, tmp_path)
    assert not old.exists()
    assert young.exists()


def test_what_is_not_ours_is_never_swept(small_suite, tmp_path):
    """A link in place of a folder, or of a draft, does not lead the sweep elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ours = f".{'0' * 64}.json-abcdefgh"
    theirs = [elsewhere / name for name in (".git-credentials", ".notes-2026", ours)]
    run = tmp_path / "run"
    (run / "trials").mkdir(parents=True)
    inside = [run / "trials" / name for name in (".git-credentials", ".notes-2026")]
    for path in (*theirs, *inside):
        path.touch()
        os.utime(path, (0, 0))
    (run / "rows").symlink_to(elsewhere)
    (run / "trials" / f".{'1' * 64}.json-abcdefgh").symlink_to(theirs[0])
    run_suite(small_suite, run)
    assert all(path.exists() for path in (*theirs, *inside))


def test_logs_of_killed_runners_are_swept_but_not_of_living_ones_or_elsewhere(small_suite, tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:  # our own
        pass
    with logs.own_logs(tmp_path) as own:
        of_dead = own.with_name(own.name.replace(str(os.getpid()), str(dead.pid)))
        elsewhere = of_dead.with_name(of_dead.name.replace("workers-", "workers-not"))
        of_dead.mkdir()
        (of_dead / "step").touch()
        elsewhere.mkdir()
        run_suite(small_suite, tmp_path)
        assert set(tmp_path.glob(".workers-*")) == {own, elsewhere}


def test_bad_input_is_found_before_any_work(small_suite, tmp_path, stand_ins):
    suite = small_suite.model_copy(update={"explainers": (Component(name="randon"),)})
    with pytest.raises(InputError, match=r"unknown explainer 'randon'.*; known: .*random"):
        run_suite(suite, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert stand_ins.Distance.n_fits == 0


def test_a_run_that_finds_all_done_still_says_what_computed_it(small_suite, tmp_path, put_run):
    record = put_run(tmp_path)[0]
    path = tmp_path / "run.json"
    old = store.read_json(path) | {"commit": "old", "started": "2001", "ended": "2002"}
    store.write_json(path, old)
    run_suite(small_suite, tmp_path)
    assert store.read_json(path) == old
    (tmp_path / "trials" / f"{record.key}.json").unlink()
    run_suite(small_suite, tmp_path)
    assert store.read_json(path)["started"] > "2002"
    assert store.read_json(path)["commit"] != "old"


def test_a_resumed_run_names_each_session_with_what_differs_from_the_last(small_suite, tmp_path):
    path = tmp_path / "run.json"
    record = run_suite(small_suite, tmp_path)[0]
    last = store.read_json(path)
    assert last.pop("sessions") == [{name: last[name] for name in provenance.OWN}]
    old = last | {"commit": "old", "started": "2001", "ended": None, "cpu": "another"}
    store.write_json(path, old | {"versions": old["versions"] | {"numpy": "1.0"}})  # of an older version
    for attempt in (1, 2):
        (tmp_path / "trials" / f"{record.key}.json").unlink()
        run_suite(small_suite, tmp_path)
        first, *others = store.read_json(path)["sessions"]
        own = {name: old[name] for name in provenance.OWN}
        assert first == own | {"cpu": "another", "versions": {"numpy": "1.0"}}
        assert len(others) == attempt
        assert all(one["ended"] and one["commit"] == last["commit"] for one in others)


def test_sessions_of_two_processes_on_one_run_do_not_efface_each_other(tmp_path):
    def about(process):
        return provenance.RunDescription(
            platform="same", cpu=str(process), process=process, started=str(process), ended=None
        )

    def seen(run=tmp_path / "run.json"):
        return store.read_json(run)["sessions"]

    with provenance.session(tmp_path, None, about(1)):
        second = provenance.session(tmp_path, provenance.read_description(tmp_path), about(2))
        second.__enter__()
        assert [one.get("cpu") for one in seen()] == ["1", None]
    assert [(one["process"], one["ended"] is None) for one in seen()] == [(1, False), (2, True)]
    second.__exit__(None, None, None)
    assert [(one["process"], one["ended"] is None, one.get("cpu")) for one in seen()] == [
        (1, False, "1"),
        (2, False, None),
    ]


def test_the_run_says_what_it_ran_on(tmp_path, put_run):
    put_run(tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["suite"]["seeds"] == [0, 1]
    assert run["versions"]["torch"].startswith("2")
    assert run["threads"] == run["workers"] == 1
    assert run["memory_bytes"] > 2**28
    assert run["started"] <= run["ended"]
    assert {"command", "commit", "cpu", "blas_versions"} <= run.keys()


def test_a_run_has_no_end_before_it_came(small_suite, tmp_path):
    seen = []
    run_suite(small_suite, tmp_path, on_trial=lambda *_: seen.append(store.read_json(tmp_path / "run.json")))
    assert {run["ended"] for run in seen} == {None}


def test_all_metrics_of_a_suite_end_to_end(small_suite, tmp_path):
    requested = {"metrics": tuple(METRICS), "fill_value": "nearest", "seeds": (0,)}
    records = run_suite(small_suite.model_copy(update=requested), tmp_path)
    assert {record.status for record in records} == {"ok"}
    results = store.load(tmp_path).query("scope == 'detected' and explainer == 'z_score'").set_index("metric")
    no_sets = [f"faithfulness_at_{k}" for k in SET_SIZES if k >= 10]  # the table has 10 features
    assert np.isfinite(results.loc[[name for name in METRICS if name not in no_sets], "value"]).all()
    assert results.loc[no_sets, "value"].isna().all()
    assert results.loc["batch_agreement", "value"] == pytest.approx(1)
    assert (results["cost_explain_cpu_seconds"] > 0).all()
    assert (results["normalised_time"] > 0).all()
    board = leaderboard(records, "detected", requested=tuple(METRICS))
    assert {"adjusted_reciprocal_rank", "faithfulness", "n_undefined_seed_agreement"} <= set(board)


def test_unknown_metrics_are_found_before_any_work(small_suite, tmp_path):
    for wrong in ({"metrics": ("faith",)}, {"fill_value": "zero"}):
        with pytest.raises(InputError, match=r"unknown (metric|fill_value) '(faith|zero)'.*; known: "):
            run_suite(small_suite.model_copy(update=wrong), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_results_are_tidy(tmp_path, put_run):
    put_run(tmp_path)
    results = store.load(tmp_path)
    assert not results.duplicated(["key", "scope", "metric"]).any()
    truth = results.query("explainer == 'truth' and scope == 'anomalies' and metric == 'ndcg_m'")
    np.testing.assert_array_equal(truth["value"], [1.0, 1.0])


def test_results_of_no_run_are_refused(tmp_path):
    with pytest.raises(InputError, match="no results of a run"):
        store.load(tmp_path)


def test_threads_come_back():
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_tables_of_one_recipe_are_one_source_whatever_they_are_called(small_suite, tmp_path):
    (table,) = small_suite.tables
    named = [table.model_copy(update={"name": name, "rows": rows}) for name, rows in (("a", 200), ("b", 220))]
    run_suite(small_suite.model_copy(update={"tables": tuple(named), "seeds": (0, 1, 2)}), tmp_path)
    first, *_ = boards(read_results(tmp_path), n_resamples=10)
    assert (first.n_tables, first.n_sources) == (2, 1)
    run = read_run(str(tmp_path))
    pairs = pair(run, run, ["adjusted_ndcg_m"], "detected")
    assert pairs.source("a") == pairs.source("b") == "table2-d10-5"
    of_suite = [one for one in compare_pairs(pairs, Criteria(), n_resamples=10) if one.level == "suite"]
    assert max(one.n_units for one in of_suite) == 3  # of one source the seeds count


def test_what_was_there_before_a_run_is_not_searched_for_garbage_while_it_lasts(small_suite, tmp_path):
    seen = []
    run_suite(small_suite, tmp_path, on_trial=lambda record, is_new: seen.append(gc.get_freeze_count()))
    assert min(seen) > 1000
    assert gc.get_freeze_count() == 0
    gc.freeze()
    run_suite(small_suite, tmp_path)
    assert gc.get_freeze_count() > 1000  # as it was found
    gc.unfreeze()


LEAKY = """\
import sys
sys.argv = ["xadbench", "-q", "run", "s.yaml", "--workers", "2"]
from xadbench.evaluation.cli.app import main
main()
"""


def test_workers_leave_no_semaphores_behind(tmp_path):
    """Progress bars, which shap shows, lock a semaphore of the system unless they are given another lock."""
    parts = "tables: [{recipe: table2-d4-5, rows: 99}], detectors: [iforest], explainers: [kernel_shap]"
    (tmp_path / "s.yaml").write_text(f"{{name: s, {parts}}}")
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", LEAKY], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "kernel_shap" in done.stdout


def test_a_folder_that_holds_other_things_and_no_run_is_refused_and_stays(small_suite, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / "rows").mkdir()
    with pytest.raises(InputError, match=r"holds no run, but 'thesis\.tex'; .*new or empty folder"):
        run_suite(small_suite, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows", "thesis.tex"]


def test_a_run_that_was_killed_before_its_description_goes_on(small_suite, put_run, tmp_path):
    put_run(tmp_path)
    (tmp_path / "run.json").unlink()
    (tmp_path / ".run.json-a1b2c3d4").touch()
    assert run_suite(small_suite, tmp_path)
