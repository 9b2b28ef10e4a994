"""Scores attributions that were made elsewhere: files that answer the tasks of `xadbench export`."""

import json
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xadbench.datasets import LabelledTable, content_hash
from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.tabular import read_tabular
from xadbench.evaluation.results import store
from xadbench.evaluation.runs.execution import detect, record_of
from xadbench.evaluation.runs.reference import run_with_shipped
from xadbench.evaluation.suite.controls import ALWAYS
from xadbench.evaluation.suite.spec import Component, Suite
from xadbench.evaluation.trial.evaluate import evaluate
from xadbench.evaluation.trial.fit import Fitted
from xadbench.evaluation.trial.key import fit_key
from xadbench.evaluation.trial.outcome import contained
from xadbench.evaluation.trial.run import scored

from .placement import Placement, place_of
from .tasks import Task, tasks

SUFFIXES = (".csv", ".parquet")
NAME = "attributions"  # of the component that stands for them in records
BYTES_OF_FILE, BYTES_OF_VALUE = 2**20, 64  # more than any file of so many values needs


class Answer(NamedTuple):
    """A file of attributions: where, and its columns, the rows' numbers first."""

    file: Path
    table: LabelledTable


def score_files(
    folder: Path,
    suite: Suite,
    label: str,
    run: Path,
    *,
    recompute: bool = False,
    **options: Any,
) -> Placement:
    """Score the attributions of a folder beside a suite's baselines, and return their place.

    What an explainer that is not there would have to compute, such as its robustness or its cost, is not
    defined.

    Parameters
    ----------
    folder
        Holds `TASK.csv` or `TASK.parquet` for each task that `export` writes: those whose detector can be
        fitted.
    suite
        That of the export.
    label
        What to call the explainer.
    run
        The run's folder.
    recompute
        Compute the baselines whose results ship with the package too.
    **options
        Those of `run_suite`, for the baselines.

    Raises
    ------
    InputError
        If a file is missing, or does not have the rows and columns that were asked for, in their order, or a
        value that is no finite number.
    """
    taken = {one.label for one in suite.explainers} | {*ALWAYS}
    if label in taken:
        raise InputError(f"the suite has an explainer {label!r} already; choose another --name")
    with one_thread():
        requested = tasks(suite)
        files = {task: _find(folder, task.name) for task in requested}
        # All, before anything takes long; then those that need none, or lack it.
        answers = {task: _read(task, file) for task, file in files.items() if file}
        own = {
            task: _record(run, task, answers.get(task), label, folder)
            for task in sorted(requested, key=answers.__contains__)
        }
    records = run_with_shipped(suite, run, recompute=recompute, **options)
    records += [store.write_record(run, own[task]) for task in requested]
    store.write_results(run, records)
    return place_of(label, suite, records)


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of a task, which must lie in the folder; None if there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected one with a file of attributions for each task")
    found = [folder / f"{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").exists()]
    if not found:
        return None
    if len(found) > 1:
        raise InputError(f"{folder}: both {' and '.join(path.name for path in found)}; expected one of them")
    if not found[0].resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{found[0]} is a link that leads out of the folder; expected the file itself")
    if not found[0].is_file():  # to read from a pipe would wait for ever
        raise InputError(f"{found[0]} is a folder, a pipe or a device; expected a file")
    return found[0]


def _read(task: Task, file: Path) -> Answer:
    """Read the file of a task, and check all that can be without a fitted detector."""
    columns, most_rows = task.columns, task.job.source.table.n_rows
    most = BYTES_OF_FILE + BYTES_OF_VALUE * len(columns) * (most_rows + 1)
    if (size := file.stat().st_size) > most:
        raise InputError(f"{file}: {size} bytes; expected at most {most} for {len(columns)} columns")
    table = read_tabular(file, expected=columns)
    if len(table.feature_names) != len(columns):
        raise InputError(
            f"{file}: {len(table.feature_names)} columns, expected {len(columns)}: {_few(columns)}"
        )
    for i, (found, expected) in enumerate(zip(table.feature_names, columns, strict=True), 1):
        if found != expected:
            raise InputError(
                f"{file}: column {i} is {found!r}, expected {expected!r}, as in the exported rows"
            )
    return Answer(file, table)


def _few(columns: tuple[str, ...]) -> str:
    return ", ".join(columns if len(columns) <= 6 else (*columns[:4], "...", columns[-1]))


def _record(run: Path, task: Task, answer: Answer | None, label: str, folder: Path) -> store.Record:
    """Return the record of a task's answer, scored; there is none where no detector could be fitted."""
    job, content = task.job, content_hash(answer.table) if answer else None
    component = Component(name=NAME, params={"sha256": content}, label=label)
    detection = contained(partial(detect, run, job))
    result = detection
    if "fitted" in detection:
        if answer is None:
            raise InputError(
                f"{folder}: no {task.name}.csv or {task.name}.parquet; expected one file for each task"
            )
        attributions = _attributions(task, detection["fitted"], answer)
        result = contained(partial(_scored, task, detection["fitted"], attributions))
    return record_of(job, _key(task, content), component, detection, result)


def _key(task: Task, content: str | None) -> str:
    """Return the trial's key, from all that determines its result."""
    job = task.job
    determined_by = {
        "fit": fit_key(job.source, job.detector),
        NAME: content,
        "metrics": job.measures.identity(),
    }
    return sha256(json.dumps(determined_by, sort_keys=True).encode()).hexdigest()


def _attributions(task: Task, fitted: Fitted, answer: Answer) -> FloatArray:
    """Return the attributions of the rows that are scored, in the table's order, (r, d)."""
    file, table = answer
    rows = task.requested(fitted)
    expected, found = task.ids()[rows], table.X[:, 0]
    if len(found) != len(expected):
        raise InputError(f"{file}: {len(found)} rows, expected {len(expected)}, as in the export")
    if (wrong := np.flatnonzero(found != expected)).size:
        i = wrong[0]
        raise InputError(
            f"{file}: column {task.columns[0]!r}, row {i + 1}: {found[i]:.15g}, expected {expected[i]}, as "
            "in the export, in its order (that of another machine or version may ask for other rows)"
        )
    place = {row: i for i, row in enumerate(rows)}
    return table.X[[place[row] for row in fitted.rows_to_explain()], 1:]


def _scored(task: Task, fitted: Fitted, attributions: FloatArray) -> dict[str, Any]:
    rows, job = fitted.rows_to_explain(), task.job
    evaluation = evaluate(attributions, rows, fitted, job.measures, seed=job.source.seed)
    return {"status": "ok", "reason": None, "n_explained": len(rows), **scored(evaluation)}
