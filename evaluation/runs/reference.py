"""Runs that take over the results that ship with the package, and the run whose results are to ship."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.results import store
from xadbench.evaluation.results.provenance import read_description
from xadbench.evaluation.results.reference_results import HERE, SUFFIX, all_shipped, is_shipped
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite

from .jobs import plan
from .runner import earlier, run_suite

# Of what run.json says: the paths of whoever ran it.
LEFT_OUT = frozenset({"command", "process", "sessions"})


def run_with_shipped(suite: Suite, run: Path, *, recompute: bool, **options: Any) -> list[store.Record]:
    """Run a suite with `run_suite` and its options; unless told to, compute no trial whose result ships."""
    if recompute:
        earlier(run, suite.name)  # else it would be another suite's run that forgets
        _forget(run)
    return run_suite(suite, run, known=() if recompute else all_shipped(), **options)


def _forget(run: Path) -> None:
    """Remove the shipped records from a run's folder, so that their trials are computed there."""
    for path in (run / "trials").glob("*.json"):
        if (store.read_json(path, run) or {}).get("origin"):
            path.unlink(missing_ok=True)


def ship(run: str | os.PathLike[str], folder: Path = HERE) -> Path:
    """Write the records of a finished run of a suite as those that ship; return the file.

    Raises
    ------
    InputError
        If `run` holds no run, or one with trials that are missing or failed, or were not computed there.
    """
    run = Path(run)
    about = read_description(run)
    if about is None or about.suite is None:
        raise InputError(f"{run}: no run.json of a run; give the folder that `xadbench run` wrote")
    suite = Suite.model_validate(about.suite)
    lines = [
        about.as_json(LEFT_OUT),
        *(_computed(run, key) for job in plan(resolve(suite)) for key, _ in job.trials),
    ]
    text = "".join(f"{json.dumps(line, sort_keys=True, separators=(',', ':'))}\n" for line in lines)
    path = folder / f"{suite.name}{SUFFIX}"
    with atomic_write(path) as file:
        file.write(gzip.compress(text.encode(), mtime=0))
    return path


def _computed(run: Path, key: str) -> dict[str, Any]:
    record = store.read_trial(run, key)
    if record is None or not record.is_finished:
        raise InputError(f"{run}: the trial {key} is missing or failed; finish the run first")
    if is_shipped(record):
        raise InputError(f"{run}: the trial {key} was not computed there; run the suite in a new folder")
    return record.as_json()
