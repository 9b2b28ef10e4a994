"""Faults of trials, of workers and of whole runs, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import TrialTimeout
from xadbench.evaluation import run_suite
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import load_attributions, load_rows
from xadbench.evaluation.runs import process_pool as pools
from xadbench.evaluation.runs import supervision as workers
from xadbench.evaluation.runs.execution import record_of
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.runs.process_pool import Pool, WorkerDied
from xadbench.evaluation.runs.supervision import Task
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial import limits
from xadbench.evaluation.trial.limits import check_limits, limited
from xadbench.evaluation.trial.outcome import not_ok

SCRIPT = Path(__file__).with_name("faulty_run.py")
TIMES = {"seconds", "normalised_time", "cost", "elapsed_seconds", "traceback"}
FAULTS = ["raise", "sleep", "stubborn", "memory", "exit", "kill"]


class Faults:
    """A folder with a suite of faulty explainers, and runs of it."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, explainers, seeds=(0,), **others):
        suite = {
            "name": "faults",
            "tables": [{"recipe": "table2-d4-5", "rows": 200}],
            "detectors": ["distance"],
            "explainers": explainers,
            "seeds": seeds,
            "memory_limit": "500 MiB",
        }
        (self.folder / "s.yaml").write_text(json.dumps(suite | others))  # JSON is YAML

    def start(self, run="run", workers=1, executor="processes"):
        command = [sys.executable, str(SCRIPT), "s.yaml", run, str(workers), executor]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        # In a group of its own, as a shell starts it.
        return subprocess.Popen(command, cwd=self.folder, start_new_session=True, **pipes)  # noqa: S603  # our own script

    def kill_after(self, n_trials):
        """Start a run, and kill it, but not its workers, after so many trials."""
        process = self.start(workers=2)
        for _ in range(n_trials):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=600)

    def results(self, run):
        return store.load(self.folder / run)[["key", "status", "scope", "metric", "value"]]

    def records(self, run="run"):
        found = [json.loads(path.read_text()) for path in (self.folder / run / "trials").glob("*.json")]
        return {(record["seed"], record["explainer"]["label"]): record for record in found}


@pytest.fixture
def faults(tmp_path):
    return Faults(tmp_path)


def finish(*processes):
    finished = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return finished


def test_a_trial_that_ends_its_worker_is_recorded_and_the_rest_goes_on(faults):
    faults.write([{"name": "faulty", "grid": {"fault": ["memory", "exit", "none"]}}], seeds=[0])
    (finished,) = finish(faults.start())
    assert finished.count("new") == 8
    records = faults.records()
    killed = records[0, "faulty(fault=exit)"]
    assert killed["status"] == "error"
    assert "EXIT(7)" in killed["reason"]
    assert records[0, "faulty(fault=memory)"]["status"] == "out-of-memory"
    assert Counter(record["status"] for record in records.values())["ok"] == 6
    assert not list(faults.folder.glob("run/.workers-*"))


@pytest.fixture(params=["on a small disk", "in a folder"])
def small_disk(request, tmp_path):
    """A function that says how large the disk of `run` is to be; None in a folder, where it cannot be."""
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(tmp_path / "run")]
    (tmp_path / "run").mkdir()
    is_mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603  # as above
    if request.param == "in a folder":
        if is_mounted:
            subprocess.run(["umount", command[-1]], check=True)  # noqa: S603, S607  # as above
            pytest.skip("the same runs on a small disk, which can be mounted here")
        yield None
        return
    if not is_mounted:
        pytest.skip("mounting a tmpfs is not permitted here, so no disk can be filled")
    try:
        yield lambda size: subprocess.run([*command[:4], f"remount,size={size}", *command[5:]], check=True)  # noqa: S603
    finally:
        subprocess.run(["umount", "--lazy", command[-1]], check=True)  # noqa: S603, S607  # as above


@pytest.mark.slow  # two dozen new processes, each of which imports torch
def test_200_disturbed_trials_end_in_the_results_of_an_undisturbed_run(faults, small_disk):
    explainers = [
        {"name": "faulty", "grid": {"n": list(range(32))}},
        {"name": "faulty", "grid": {"fault": [f"once-{fault}" for fault in FAULTS], "n": [0, 1]}},
        {"name": "faulty", "params": {"fault": "raise"}},
    ]
    faults.write(explainers, seeds=[0, 1, 2, 3], timeout=2)
    if small_disk:
        fill_up(faults)
        small_disk("16m")
    faults.kill_after(10)
    some = next(iter(faults.records().values()))
    (faults.folder / "run" / "trials" / f"{some['key']}.json").write_text('{"key": ')
    finish(faults.start(), faults.start(workers=2))  # two runners at once
    assert not list(faults.folder.glob("run/.workers-*"))
    first = faults.records()
    assert len(first) == 200
    faults.write(explainers, seeds=[0, 1, 2, 3], timeout=60)  # a busy machine is no fault
    finish(faults.start(workers=2))
    assert len(list(faults.folder.glob("once-*"))) == 2 * len(FAULTS)  # each has happened
    finish(faults.start("undisturbed", workers=2))
    resumed, undisturbed = faults.records(), faults.records("undisturbed")
    assert len(list(faults.folder.glob("run/trials/*.json"))) == 200  # a file a trial, not two
    assert resumed.keys() == undisturbed.keys() == first.keys()
    for trial, record in undisturbed.items():
        assert without_times(resumed[trial]) == without_times(record)
    assert Counter(record["status"] for record in resumed.values()) == {"ok": 196, "error": 4}
    assert faults.results("run").equals(faults.results("undisturbed"))


@pytest.mark.slow  # as above
def test_two_runners_at_once_keep_what_one_keeps(faults):
    explainer = {"name": "faulty", "params": {"seconds": 0.05}, "grid": {"n": list(range(20))}}
    faults.write([explainer], seeds=[0, 1], save=["rows", "attributions"])
    finish(faults.start(), faults.start(workers=2))
    finish(faults.start("alone"))
    run, alone = faults.folder / "run", faults.folder / "alone"
    assert faults.results("run").equals(faults.results("alone"))
    pd.testing.assert_frame_equal(load_rows(run), load_rows(alone), check_categorical=False)
    for record in faults.records("run").values():
        assert (record["status"], record["artifacts"]) == ("ok", ["attributions", "rows"])
        pd.testing.assert_frame_equal(*(load_attributions(place, record["key"]) for place in (run, alone)))
    files = [{path.relative_to(place) for path in place.rglob("*")} for place in (run, alone)]
    assert files[0] == files[1]
    finished = store.read_json(run / "run.json")["sessions"]
    assert sorted((one["workers"], one["ended"] is not None) for one in finished) == [(1, True), (2, True)]


def fill_up(faults):
    process = faults.start(workers=2)
    process.communicate(timeout=600)
    assert process.returncode != 0
    assert 1 <= len(faults.records()) < 200


def without_times(record):
    detector = {key: value for key, value in record["detector"].items() if key != "fit_seconds"}
    return {key: value for key, value in record.items() if key not in TIMES} | {"detector": detector}


@pytest.mark.slow  # as above
def test_dask_ends_in_the_results_of_processes_although_a_worker_is_killed(faults):
    explainers = [
        {"name": "faulty", "grid": {"n": [0, 1]}},
        {"name": "faulty", "grid": {"fault": ["once-kill", "raise", "memory", "once-sleep"]}},
    ]
    faults.write(explainers, seeds=[0, 1, 2], timeout=10)  # a busy machine is no fault
    finish(faults.start("dask", workers=2, executor="dask"))
    assert (faults.folder / "once-kill-0").exists()
    finish(faults.start("processes", workers=2))
    by_dask, by_processes = faults.records("dask"), faults.records("processes")
    assert by_dask.keys() == by_processes.keys()
    late = [trial for trial, record in by_dask.items() if record["status"] == "timeout"]
    assert [by_dask[trial]["reason"] for trial in late] == [
        "took more than 10 s and was ended with its worker"
    ]
    assert [by_processes.pop(trial)["status"] for trial in late] == ["ok"]
    assert {record["status"] for record in by_processes.values()} == {"ok", "error", "out-of-memory"}
    for trial, record in by_processes.items():
        assert without_times(by_dask[trial]) == without_times(record)


@pytest.mark.slow  # as above
@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_an_interrupt_stops_within_5_seconds_and_leaves_a_run_that_resumes(faults, executor):
    explainer = {"name": "faulty", "params": {"seconds": 0.4}, "grid": {"n": list(range(30))}}
    faults.write([explainer], seeds=[0, 1])
    process = faults.start(workers=2, executor=executor)
    process.stdout.readline()
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert time.monotonic() - start < 5
    assert 1 <= len(faults.records()) < 2 * 35
    faults.write([explainer | {"grid": {"n": [0, 1]}}], seeds=[0, 1])
    (finished,) = finish(faults.start(workers=2, executor=executor))
    assert finished.count("read") >= 1
    assert finished.count("\n") == 2 * 7


@pytest.mark.slow  # as above
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("sleep", "fitting took more than 0.5 s"),
        ("stubborn", "took more than 0.5 s and was ended with its worker"),
    ],
)
def test_a_fault_in_fitting_is_that_of_every_trial(faults, fault, reason):
    faults.write(["random"], detectors=[{"name": "distance", "params": {"fault": fault}}], timeout=0.5)
    finish(faults.start())
    records = faults.records().values()
    assert [record["status"] for record in records] == ["timeout"] * 5
    assert {record["reason"] for record in records} == {reason}
    assert all("faulty_run.py" in record["traceback"] for record in records)


@pytest.mark.parametrize(
    ("kills", "code", "status"),
    [(1, "SIGKILL(-9)", "out-of-memory"), (0, "SIGKILL(-9)", "error"), (1, "SIGSEGV(-11)", "error")],
)
def test_a_worker_that_the_kernel_killed_for_want_of_memory(tmp_path, small_suite, kills, code, status):
    (tmp_path / "last_words").touch()
    (tmp_path / "step").write_text("1")
    task = Task(0, plan(small_suite)[0], tmp_path)
    error = WorkerDied(f"its worker process ended with {code}")
    [(_, record)] = task.fail(tmp_path, error, kills)
    assert (record.explainer.name, record.status) == ("random", status)


@pytest.fixture
def in_a_thread(small_suite, tmp_path, monkeypatch):
    """A function that has jobs of the suite, one each for these numbers of rows, done by a thread.

    Done without work: their records are there. It returns the tables' labels in the order of the work, and
    how often it was read how far a job is.
    """
    monkeypatch.setattr(workers, "POLL_SECONDS", 60)
    read, order = [], []
    step = workers._step
    monkeypatch.setattr(workers, "_step", lambda log: read.append(log) or step(log))

    def work(run, job, log):
        order.append(job.source.table.n_rows)
        time.sleep(0.01)  # so that one ends after the other
        workers._note(log, len(job.trials))

    monkeypatch.setattr(workers, "_work", work)

    def run(rows):
        tables = [{"name": f"t{n}", "recipe": "table2-d4-5", "rows": n} for n in dict.fromkeys(rows)]
        changed = small_suite.model_dump() | {"tables": tables, "seeds": (0,)}
        jobs = {job.source.table.n_rows: job for job in plan(Suite.model_validate(changed))}
        for job in jobs.values():
            for key, explainer in job.trials:
                store.write_record(tmp_path, record_of(job, key, explainer, {}, not_ok("skipped", "")))
        pool = Pool(ThreadPoolExecutor(1))
        finished = list(workers.run_in_workers(tmp_path, [(n, jobs[n]) for n in rows], nullcontext(pool)))
        assert Counter(n for n, _ in finished) == {n: 6 * rows.count(n) for n in rows}
        return order, len(read)

    return run


def test_jobs_on_long_tables_come_first(in_a_thread):
    assert in_a_thread([100, 300, 200])[0] == [300, 200, 100]


def test_a_long_suite_is_not_looked_through_whenever_a_job_ends(in_a_thread):
    assert in_a_thread([100] * 60)[1] <= 60 * 5  # 60 * 60 / 2 otherwise


def test_workers_that_die_before_they_begin_end_the_run_with_a_line(small_suite, tmp_path, monkeypatch):
    def die(run, job, log):
        raise WorkerDied("ended with\nEXIT(1)")

    monkeypatch.setattr(workers, "_work", die)
    jobs = list(enumerate(plan(small_suite)))
    with pytest.raises(InputError, match=r"no worker lives long enough to begin: ended with EXIT\(1\)"):
        list(workers.run_in_workers(tmp_path, jobs, nullcontext(Pool(ThreadPoolExecutor(1)))))


@pytest.fixture
def pool(monkeypatch):
    """A worker, without the stand-ins, whose module workers do not find."""
    for registry in ("DETECTORS", "EXPLAINERS"):
        monkeypatch.setattr(pools, registry, {})
    with pools.process_pool(1) as pool:
        yield pool.executor


def test_a_worker_that_is_killed_costs_its_own_job_and_is_replaced(pool):
    assert pool.submit(abs, -3).result() == 3
    (worker,) = pool._all
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()  # while there is no work
    assert pool.submit(abs, -3).result() == 3
    with pytest.raises(WorkerDied, match=r"ended with EXIT\(7\)"):
        pool.submit(os._exit, 7).result()
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result()
    assert pool.submit(abs, -3).result() == 3


def test_kills_for_want_of_memory_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "VMSTAT", tmp_path / "vmstat")
    assert limits.oom_kills() == 0
    limits.VMSTAT.write_text("pgfault 9\noom_kill 3\noom_kill_other 4\n")
    assert limits.oom_kills() == 3


def test_the_alarm_rings_and_is_off_again(tmp_path):
    with (tmp_path / "words").open("w") as words:
        with (
            pytest.raises(TrialTimeout, match=r"waiting took more than 0\.05 s"),
            limited("waiting", 0.05, None, words),
        ):
            time.sleep(5)
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_the_alarm_is_no_fault_of_the_code_that_it_ends(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nclass Slow:\n    def __init__(self):\n        time.sleep(5)\n"
        "    def fit(self, detector, background): return self\n    def explain(self, X): return X\n",
        encoding="utf-8",
    )
    with (
        (tmp_path / "words").open("w") as words,
        limited("making", 0.5, None, words),
        pytest.raises(TrialTimeout),
    ):
        make_explainer(f"{tmp_path / 'slow.py'}:Slow", random_state=0)


def test_workers_are_counted_from_one(small_suite):
    with pytest.raises(InputError, match="workers is 0; expected at least 1"):
        run_suite(small_suite, workers=0)


def test_a_memory_limit_that_cannot_be_held_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="memory_limit: only on Linux, not on darwin"):
        check_limits(None, 2**30)
