"""What the harness takes beside the work of its trials."""

import json
import subprocess
import sys
import time
from itertools import product

import numpy as np
import pandas as pd
import pytest
import yaml

from xadbench.evaluation import explainers, run_suite
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.results import store
from xadbench.evaluation.results.frame import tidy
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.runs.execution import record_of
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite, load_suite

pytestmark = pytest.mark.bench

SCOPES = ("anomalies", "detected", "flagged")
SCORES = ("adjusted_ndcg_m", "adjusted_acc_m", "ndcg_m", "acc_m", "chance", "n_informative")


class Spin:
    """An explainer that computes for a second, however many rows it is given but one."""

    version = 1
    requires = frozenset()

    def __init__(self, n=0):
        self.n = n

    def fit(self, detector, background):
        return self

    def explain(self, X):
        end = time.process_time() + (len(X) > 1)
        while time.process_time() < end:
            pass
        return np.abs(X)


@pytest.fixture
def seconds(benchmark):
    """A function that returns, and records, the time of a function, and records the processor's."""

    def run(function):
        start = time.process_time()
        benchmark.pedantic(function, rounds=1)
        benchmark.extra_info["cpu_seconds"] = time.process_time() - start
        return benchmark.stats.stats.min

    return run


def ok(**values):
    """Return the result of a trial."""
    part = {"seconds": 0.5, "cpu_seconds": 0.5, "rows_scored": 1000, "peak_bytes": 10**6}
    scores = {scope: dict.fromkeys(SCORES, 0.5) for scope in SCOPES}
    made = {"status": "ok", "reason": None, "n_explained": 50, "seconds": 1.0, "normalised_time": 9.0}
    return made | {"scores": scores, "cost": {"fit": part, "explain": part}, "elapsed_seconds": 1.0} | values


def test_the_harness_adds_less_than_3_percent_to_trials_of_a_second(
    benchmark, seconds, monkeypatch, tmp_path
):
    monkeypatch.setitem(explainers.EXPLAINERS, "spin", Entry("a stand-in", lambda: factory_of(Spin)))
    suite = Suite(
        name="spin",
        tables=[{"recipe": "table2-d10-5", "rows": 1000}],
        detectors=["iforest"],
        explainers=[{"name": "spin", "grid": {"n": list(range(20))}}],
    )
    run_suite(suite.model_copy(update={"explainers": suite.explainers[:1]}), tmp_path / "imports")
    seconds(lambda: run_suite(suite, tmp_path / "run"))
    records = [json.loads(path.read_text()) for path in (tmp_path / "run" / "trials").iterdir()]
    costs = [record["cost"].get(part, {}) for record in records for part in ("fit", "explain")]
    work = sum(cost.get("cpu_seconds", 0) for cost in costs) + records[0]["detector"]["fit_seconds"]
    benchmark.extra_info["overhead"] = benchmark.extra_info["cpu_seconds"] / work - 1
    assert benchmark.extra_info["overhead"] <= 0.03


@pytest.mark.parametrize(
    ("seeds", "at_least"),
    [
        pytest.param([0], 1.8, marks=pytest.mark.xfail(reason="docs/decisions/0016")),
        ([0, 1, 2], 1.7),
    ],
)
def test_two_workers_are_nearly_twice_as_fast_as_one(benchmark, least_times, tmp_path, seeds, at_least):
    quick = load_suite("quick").model_dump(mode="json", exclude_defaults=True)
    quick["explainers"] = [one for one in quick["explainers"] if "shap" not in one["name"]]
    quick["seeds"] = seeds
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(quick))

    def run(workers):
        command = [sys.executable, "-m", "xadbench.evaluation.cli.app", "run", "quick.yaml"]
        options = ["--workers", str(workers), "--out", f"run-{workers}"]
        subprocess.run([*command, *options], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)  # noqa: S603

    one, two = benchmark.pedantic(
        least_times, args=(lambda: run(1), lambda: run(2)), kwargs={"rounds": 1}, rounds=1
    )
    benchmark.extra_info["ratio"] = one / two
    assert one / two >= at_least


class Trivial:
    """An explainer that computes next to nothing."""

    version = 1
    requires = frozenset()

    def __init__(self, n=0):
        self.n = n

    def fit(self, detector, background):
        return self

    def explain(self, X):
        return np.abs(X)


def test_the_harness_takes_little_of_a_trivial_trial(benchmark, monkeypatch, tmp_path):
    """The processor's time by the difference of two runs, without what a table and a detector take."""
    monkeypatch.setitem(explainers.EXPLAINERS, "trivial", Entry("a stand-in", lambda: factory_of(Trivial)))

    def run(n):
        suite = Suite(
            name="trivial",
            tables=[{"recipe": "table2-d10-5", "rows": 1000}],
            detectors=["gaussian"],
            explainers=[{"name": "trivial", "grid": {"n": list(range(n))}}],
            controls=False,
        )
        start = time.process_time()
        run_suite(suite, tmp_path / str(n))
        return time.process_time() - start

    run(5)  # imports
    few, many = benchmark.pedantic(lambda: (run(20), run(220)), rounds=1)
    benchmark.extra_info["cpu_seconds_per_trial"] = (many - few) / 200
    assert (many - few) / 200 <= 0.01  # the goal of 5 ms is not reached


def test_10000_explainers_are_planned_in_5_seconds_of_the_processor(benchmark, seconds):
    grid = {"name": "conditional_occlusion", "grid": {"n_neighbours": list(range(1, 10_001))}}
    suite = {"name": "wide", "tables": [{"recipe": "table2-d4-5", "rows": 200}], "detectors": ["iforest"]}
    jobs = []
    seconds(lambda: jobs.extend(plan(resolve(Suite.model_validate(suite | {"explainers": [grid]})))))
    assert len(jobs[0].trials) == 10_004
    assert benchmark.extra_info["cpu_seconds"] <= 5


def test_a_finished_run_of_2000_trials_is_resumed_in_3_seconds(seconds, tmp_path):
    suite = Suite(
        name="long",
        tables=[{"recipe": "table2-d10-5", "rows": 1000}],
        detectors=[
            "iforest",
            "gaussian",
            "lof",
            "ecod",
            "hbos",
            "knn",
            "pca",
            "cblof",
            "copod",
            "dsil_fixed",
        ],
        explainers=[
            "random",
            {"name": "conditional_occlusion", "grid": {"n_neighbours": list(range(1, 17))}},
        ],
        seeds=range(10),
    )
    for job in plan(suite):
        for key, explainer in job.trials:
            write_quickly(tmp_path / "run", record_of(job, key, explainer, {}, ok()))
    reported = []
    took = seconds(lambda: reported.extend(run_suite(suite, tmp_path / "run")))
    assert len(reported) == 2000
    assert took <= 3


def write_quickly(run, record):
    """Write a record without waiting for the disk."""
    (run / "trials").mkdir(parents=True, exist_ok=True)
    (run / "trials" / f"{record.key}.json").write_text(json.dumps(record.as_json(), indent=1, sort_keys=True))


def test_100000_records_are_loaded_in_2_seconds(seconds, trial_record, tmp_path):
    tables, detectors = [f"table {i}" for i in range(10)], [f"detector {i}" for i in range(10)]
    records = [
        trial_record(table, seed, detector, "good", **ok())
        for table, seed, detector in product(tables, range(10), detectors)
    ]
    part = tidy(as_trial(record, "a record") for record in records)
    part = part.assign(key=part["key"].astype(str), kind=None, step=-1)  # as it is stored
    parts = [part.assign(key=part["key"] + str(i), explainer=f"explainer {i}") for i in range(100)]
    pd.concat(parts).to_parquet(tmp_path / "results.parquet", index=False)
    loaded = []
    took = seconds(lambda: loaded.append(store.load(tmp_path)))
    assert loaded[0]["key"].nunique() == 100_000
    assert took <= 2


def test_the_report_of_5000_trials_takes_20_seconds_and_15_megabytes(
    benchmark, seconds, trial_record, tmp_path
):
    labels = {
        "tables": [f"table {i}" for i in range(20)],
        "detectors": [f"detector {i}" for i in range(5)],
        "explainers": [f"explainer {i}" for i in range(23)],
    }
    suite = {
        "name": "long",
        "tables": [{"name": name, "dataset": "bundled:wine"} for name in labels["tables"]],
    }
    suite |= {part: labels[part] for part in ("detectors", "explainers")} | {"seeds": [0, 1]}
    store.write_json(tmp_path / "run.json", {"version": 2, "suite": suite})
    rng = np.random.default_rng(0)
    for table, seed, detector in product(labels["tables"], (0, 1), labels["detectors"]):
        for explainer in [*labels["explainers"], "truth", "inverted_truth"]:
            scores = {scope: dict.fromkeys(SCORES, rng.random()) for scope in SCOPES}
            record = trial_record(table, seed, detector, "truth", **ok(scores=scores))
            record["explainer"] = {"name": explainer, "label": explainer}
            record["key"] = f"{table}{seed}{detector}{explainer}".replace(" ", "-")
            write_quickly(tmp_path, as_trial(record, "a record"))
    took = seconds(lambda: write_report(tmp_path, tmp_path / "report", "html"))
    size = sum(path.stat().st_size for path in (tmp_path / "report").rglob("*") if path.is_file())
    benchmark.extra_info["megabytes"] = size / 1e6
    assert took <= 20
    assert size <= 15e6
