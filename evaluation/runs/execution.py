"""Does a job: fits its detector once, explains with each explainer, and writes a record of each trial."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import numpy as np

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.process_state import preserved
from xadbench.datasets.rng import stream
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import save
from xadbench.evaluation.results.provenance import versions
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
from xadbench.evaluation.suite.controls import NETWORK_UNKNOWN
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.trial.fit import ceiling
from xadbench.evaluation.trial.key import components, trial_key
from xadbench.evaluation.trial.limits import limited
from xadbench.evaluation.trial.outcome import contained, not_ok
from xadbench.evaluation.trial.run import run_trial

from .fitted_detectors import fit_once
from .jobs import InfeasibleTrials, Job

FITTING = -1  # the step before the first trial
Result = dict[str, Any]


class UnderWay(NamedTuple):
    """A trial that is being computed, by its labels; without an explainer while the detector is fitted."""

    table: str
    detector: str
    explainer: str | None
    seed: int

    @classmethod
    def of(cls, job: Job, step: int) -> Self:
        """Return what step of a job that is."""
        explainer = None if step == FITTING else job.trials[step][1].label
        return cls(job.table.label, job.detector.label, explainer, job.table.seed)

    def __str__(self) -> str:
        return f"{self.table} / {self.detector} / {self.explainer or '(fitting)'}, seed {self.seed}"


def run_job(
    run: Path,
    job: Job,
    on_step: Callable[[int], object] = lambda step: None,  # noqa: ARG005  # the step that begins
    last_words: IO[str] | None = None,
) -> Iterator[store.Record]:
    """Yield the record of each trial as it is written; one that is there by now is not computed.

    Parameters
    ----------
    run
        The run's folder.
    job
        What to do; its limits hold where `last_words` is given.
    on_step
        Called with `FITTING` before the detector is fitted, and with its number before each trial.
    last_words
        See `limited`; only in a process of its own.
    """
    limits = partial(limited, timeout=job.timeout, memory_limit=job.memory_limit, last_words=last_words)
    detection: Result = {}
    for i, (key, explainer) in enumerate(job.trials):
        record = store.read_trial(run, key)
        if record is not None and record.is_finished:  # by another process on the same run
            yield record
            continue
        if not detection:
            on_step(FITTING)
            with preserved(_draws(job, job.detector)):
                detection = _within(limits("fitting"), partial(detect, run, job))
        on_step(i)
        start, result = time.perf_counter(), detection
        with preserved(_draws(job, explainer)):
            if "fitted" in detection:
                explain = partial(run_trial, detection["fitted"], explainer, job.source, job.measures)
                result = _within(limits("explaining"), explain)
                result = contained(partial(_of_the_code_asked_for, job, key, explainer, result))
            kept = contained(partial(_saved, run, job, key, result))
            timed = kept | {"elapsed_seconds": time.perf_counter() - start}
            record = record_of(job, key, explainer, detection, timed)
        yield _written(run, record)


def _draws(job: Job, component: Component) -> np.random.Generator:
    """Return what seeds the global random generators for a component that draws from them."""
    what = json.dumps([component.name, component.params], sort_keys=True, default=str)
    return stream(job.table.seed, "global generators", job.table.hash, what)


def _written(run: Path, record: store.Record) -> store.Record:
    """Write a record; not in place of one that another process finished meanwhile and that keeps no less."""
    other = store.read_trial(run, record.key)
    if other is None or not other.is_finished:
        return store.write_record(run, record)
    saves_more = set(record.artifacts) - set(other.artifacts)
    return store.write_record(run, record) if saves_more else other


def _of_the_code_asked_for(job: Job, key: str, explainer: Component, result: Result) -> Result:
    """Return a trial's result; not that of code that was changed since the trial got its key."""
    is_users = job.detector.is_loaded or explainer.is_loaded
    if is_users and trial_key(job.table, job.detector, explainer, job.measures) != key:
        return not_ok("error", "the code of its explainer or detector was changed during the run; run again")
    return result


def _saved(run: Path, job: Job, key: str, result: Result) -> Result:
    """Return a trial's result without its rows and attributions, of which what the job asks for is kept."""
    explained = result.pop("explained", None)
    if explained is None or not job.save:
        return result
    save(run, key, job.save, explained, job.source.table.feature_names)
    return result | {"artifacts": sorted(job.save)}


def _within(limits: AbstractContextManager[None], work: Callable[[], Result]) -> Result:
    def limited_work() -> Result:
        with limits:
            return work()

    return contained(limited_work)


def detect(run: Path, job: Job) -> Result:
    """Return the `fitted` detector of a job and its `quality`; a result without these where it has none."""
    fitted = fit_once(run, job.source, job.detector)
    if fitted is None:
        return not_ok("skipped", NETWORK_UNKNOWN)
    quality = fitted.quality() | ceiling(job.source)
    return {"fitted": fitted, "quality": quality, "iteration_auc_roc": fitted.iteration_auc_roc()}


def record_of(job: Job, key: str, explainer: Component, detection: Result, result: Result) -> store.Record:
    """Return the record of a trial: what it was, and its result; `detection` may be empty."""
    fitted = detection.get("fitted")
    quality = {"quality": detection["quality"], "fit_seconds": fitted.seconds} if fitted else {}
    if detection.get("iteration_auc_roc") is not None:
        quality["iteration_auc_roc"] = detection["iteration_auc_roc"]
    values = {
        "version": RECORD_VERSION,
        "key": key,
        "seed": job.table.seed,
        "table": {
            "label": job.table.label,
            "origin": job.table.origin,
            "content_hash": job.table.hash,
            "n_rows": job.table.n_rows,
            "n_features": job.table.n_features,
            "n_anomalies": job.table.n_anomalies,
        },
        "detector": job.detector.model_dump() | quality,
        "explainer": explainer.model_dump(),
        "components": _components(job, explainer),
        "versions": versions(),
        **result,
    }
    return as_trial(values, f"trial {key}")


def records_of_infeasible(infeasible: InfeasibleTrials) -> Iterator[store.Record]:
    """Yield the records of the trials on a table that cannot be made, which are errors."""
    parts = {"seed": infeasible.seed, "detector": infeasible.detector.model_dump()}
    for explainer in infeasible.explainers:
        requested = parts | {"explainer": explainer.model_dump()}
        determined_by = json.dumps(
            requested | {"infeasible": infeasible.table.model_dump()}, sort_keys=True, default=str
        )
        values = {
            "version": RECORD_VERSION,
            "key": sha256(determined_by.encode()).hexdigest(),
            "table": {
                "label": infeasible.table.title,
                "origin": infeasible.table.origin,
                "content_hash": None,
            },
            "components": None,
            "versions": versions(),
            **requested,
            **not_ok("error", infeasible.reason),
        }
        yield as_trial(values, f"trial {values['key']}")


def _components(job: Job, explainer: Component) -> dict[str, Any] | None:
    """Return what the trial's parts are; None where the user's code was changed and cannot be loaded now."""
    is_users = job.detector.is_loaded or explainer.is_loaded
    identities = None if is_users else job.identities  # a user's code may change meanwhile
    try:
        return components(job.table, job.detector, explainer, job.measures, identities)
    except InputError:
        return None
