"""Runs a suite's trials one after the other, writes a record each, and resumes where a run was stopped."""

import itertools
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import threadpoolctl

from xadbench.datasets import InputError
from xadbench.evaluation import store
from xadbench.evaluation.controls import CONTROLS, NETWORK_UNKNOWN
from xadbench.evaluation.scoring import Fitted, Measures
from xadbench.evaluation.source import Source, load_source
from xadbench.evaluation.suite import Component, Suite, load_suite
from xadbench.evaluation.trial import ceiling, contained, fit, not_ok, run_trial, trial_key

RECORDED_VERSIONS = ("xadbench", "numpy", "scipy", "pandas", "scikit-learn", "torch", "pyod", "shap", "pgmpy")
OnTrial = Callable[[store.Record, bool], None]


@dataclass(frozen=True, eq=False)
class Job:
    """One detector on one table, and the explainers that are to explain it, each with its trial's key."""

    source: Source
    detector: Component
    trials: tuple[tuple[str, Component], ...]
    measures: Measures


def run_suite(
    suite: Suite | str, out: str | os.PathLike[str] | None = None, on_trial: OnTrial | None = None
) -> list[store.Record]:
    """Run a suite and return the records of its trials.

    Trials that an earlier run in the same folder finished are read, not repeated. Numbers are computed on one
    thread, so that they do not depend on the number of cores.

    Parameters
    ----------
    suite
        A suite, a shipped suite's name, or the path of a `.yaml` file.
    out
        The run's folder; default: `runs/<suite>`.
    on_trial
        Called after each trial with its record and whether it was computed now.

    Raises
    ------
    InputError
        If the suite, or a part that it names, is not usable; found before any trial.
    """
    suite = load_suite(suite) if isinstance(suite, str) else suite
    run = Path("runs") / suite.name if out is None else Path(out)
    with one_thread():
        jobs = plan(suite)
        _start(run, suite)
        records = []
        for job in jobs:
            for record, is_new in _run_job(run, job):
                records.append(record)
                if on_trial is not None:
                    on_trial(record, is_new)
        store.write_results(run, records)
    return records


def plan(suite: Suite) -> list[Job]:
    """Return the suite's jobs in order; makes or loads every table, so that bad input is found at once."""
    explainers, measures = with_controls(suite), Measures(suite.metrics, suite.baseline)
    jobs = []
    for spec, seed in itertools.product(suite.tables, suite.seeds):
        source = load_source(spec, seed)
        for detector in suite.detectors:
            trials = tuple((trial_key(source, detector, chosen, measures), chosen) for chosen in explainers)
            jobs.append(Job(source, detector, trials, measures))
    return jobs


def with_controls(suite: Suite) -> tuple[Component, ...]:
    """Return the suite's explainers and, behind them, the controls that it does not name itself."""
    for explainer in suite.explainers:
        if explainer.label in CONTROLS and explainer.name != explainer.label:
            raise InputError(f"explainer {explainer.name!r} has the label of a control, {explainer.label!r}")
    named = {explainer.label for explainer in suite.explainers}
    return (*suite.explainers, *(Component(name=name) for name in CONTROLS if name not in named))


def n_trials(suite: Suite) -> int:
    """Return how many trials the suite has, controls included."""
    return len(suite.tables) * len(suite.seeds) * len(suite.detectors) * len(with_controls(suite))


def _run_job(run: Path, job: Job) -> Iterator[tuple[store.Record, bool]]:
    """Yield the records of a job; the detector is fitted only if a trial is left to compute."""
    detection: dict[str, Any] = {}
    for key, explainer in job.trials:
        record = store.read_record(run, key)
        is_new = not store.is_finished(record)
        if record is None or is_new:
            detection = detection or contained(lambda: _detect(job))
            record = store.write_record(run, _record(key, job, detection, explainer))
        yield _labelled(record, job, explainer), is_new


def _labelled(record: store.Record, job: Job, explainer: Component) -> store.Record:
    """Return a record under the suite's labels: they may be others than those of the run that wrote it."""
    labels = {"table": job.source.label, "detector": job.detector.label, "explainer": explainer.label}
    return record | {part: record[part] | {"label": label} for part, label in labels.items()}


def _detect(job: Job) -> dict[str, Any]:
    fitted = fit(job.source, job.detector)
    if fitted is None:
        return not_ok("skipped", NETWORK_UNKNOWN)
    return {"fitted": fitted, "quality": fitted.quality() | ceiling(job.source)}


def _record(key: str, job: Job, detection: dict[str, Any], explainer: Component) -> store.Record:
    fitted: Fitted | None = detection.get("fitted")
    quality = {"quality": detection["quality"], "fit_seconds": fitted.seconds} if fitted else {}
    return {
        "key": key,
        "seed": job.source.seed,
        "table": {
            "label": job.source.label,
            "content_hash": job.source.hash,
            "n_rows": job.source.table.n_rows,
            "n_features": job.source.table.n_features,
            "n_anomalies": int(job.source.table.y.sum()),
        },
        "detector": job.detector.model_dump() | quality,
        "explainer": explainer.model_dump(),
        "versions": versions(),
        **(run_trial(fitted, explainer, job.source, job.measures) if fitted else detection),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a result may depend on."""
    return {name: version(name) for name in RECORDED_VERSIONS}


def _start(run: Path, suite: Suite) -> None:
    if run.exists() and not run.is_dir():
        raise InputError(f"{run} is a file; choose a folder for the run")
    before = store.read_json(run / "run.json")
    if before is not None and before.get("suite", {}).get("name") != suite.name:
        raise InputError(f"{run} holds the run of another suite; choose another folder")
    provenance = {
        "suite": suite.model_dump(mode="json"),
        "versions": {"python": platform.python_version(), **versions()},
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": 1,
        "blas": [library["internal_api"] for library in threadpoolctl.threadpool_info()],
    }
    store.write_json(run / "run.json", provenance)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside; BLAS, OpenMP and torch get their threads back afterwards."""
    import torch  # noqa: PLC0415  # takes a second to import

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpoolctl.threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
