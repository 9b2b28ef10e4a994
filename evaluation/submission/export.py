"""Writes what an explainer outside Python needs: rows to explain, training rows, a detector's scores."""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.files import new_folder
from xadbench.evaluation.results.provenance import versions
from xadbench.evaluation.runs.execution import detect
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial.fit import Fitted
from xadbench.evaluation.trial.outcome import contained

from .tasks import Task, tasks

FORMAT = 1
Format = Literal["csv", "parquet"]
README = """\
What an explainer is asked, in a folder for each task: a table, a detector and a seed.

  rows.{suffix}        the rows to explain: a number that identifies the row, then its features
  background.{suffix}  the rows that the detector was fitted to, in the same columns; the rows to explain
                 are among them. It was fitted without labels: some of them are anomalies.
  scores.{suffix}      the detector's score of each of them; higher is more anomalous

manifest.json names the tasks and their columns. Features are standardised, as the detector saw them.

The answer to a task is one file, named after it: TASK.csv or TASK.parquet, all in one folder. It has the
columns and the rows of rows.{suffix}, in the same order, and in place of a feature's value the attribution
of this value for the row's score: a finite number, higher is more responsible. In R:

  write.csv(attributions, "answers/TASK.csv", row.names = FALSE)    # and read.csv(..., check.names = FALSE)

  xadbench import answers --suite {suite}

with the --suite (of your own: the path of its file), --detector, --dataset and --label-column that the
export had.

Explain each row by itself: which others are to be explained must not matter to it, just as it does not to
explainers that are run by XADBench. Not all rows asked for are scored.

Only the scores of these rows are given. An explainer that must ask the detector about other rows, or for
its gradient, cannot be run from these files; it needs the Python interface: xadbench score module:Name.
"""


def export(
    suite: Suite, folder: Path, form: Format = "csv", on_task: Callable[[str], object] | None = None
) -> int:
    """Write the tasks of a suite into a new folder, which appears whole or not at all; return their number.

    Nothing in it tells which of the rows to explain are anomalies, what their ground-truth features are, or
    the order of the table. (That the other rows are normal can be told; an explainer that is run here is
    given only anomalies and flagged rows, and could tell more.)

    Parameters
    ----------
    suite
        Whose tables, detectors and seeds.
    folder
        Where to; it must not exist.
    form
        "csv" or "parquet".
    on_task
        Called with a line on each task.

    Raises
    ------
    InputError
        If `folder` exists, or no task is left.
    """
    tell = on_task or (lambda line: None)  # noqa: ARG005  # named for what it is
    with one_thread(), new_folder(folder) as draft, tempfile.TemporaryDirectory() as run:
        written = []
        for task in tasks(suite, lambda infeasible: tell(infeasible.reason)):
            detection = contained(partial(detect, Path(run), task.job))
            if "fitted" in detection:
                written.append(_write(task, detection["fitted"], draft, form))
            tell(f"{task.name}: {detection.get('reason') or 'written'}")
        if not written:
            raise InputError(
                f"suite {suite.name} has no task: no detector fitted to a table with ground-truth features"
            )
        manifest = {"format": FORMAT, "versions": versions(), "files": form, "tasks": written}
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        (draft / "README.txt").write_text(README.format(suffix=form, suite=suite.name), encoding="utf-8")
    return len(written)


def _write(task: Task, fitted: Fitted, folder: Path, form: Format) -> dict[str, Any]:
    """Write the files of a task; return what the manifest says of it."""
    ids, requested, own = task.ids(), task.requested(fitted), folder / task.name
    everything = ids.argsort()
    own.mkdir()
    parts = {
        "rows": _frame(task.columns, ids, fitted.table.X, requested),
        "background": _frame(task.columns, ids, fitted.table.X, everything),
        "scores": _frame((task.columns[0], "score"), ids, fitted.scores[:, None], everything),
    }
    for name, frame in parts.items():
        (own / f"{name}.{form}").write_bytes(_as_bytes(frame, form))
    source, detector = task.job.source, task.job.detector
    return {
        "task": task.name,
        "table": source.label,
        "detector": detector.label,
        "seed": source.seed,
        "columns": list(task.columns),
        "n_rows": len(requested),
        "n_background": fitted.table.n_rows,
    }


def _frame(columns: tuple[str, ...], ids: IntArray, X: FloatArray, rows: IntArray) -> pd.DataFrame:
    frame = pd.DataFrame(X[rows], columns=list(columns[1:]))
    frame.insert(0, columns[0], ids[rows])
    return frame


def _as_bytes(frame: pd.DataFrame, form: Format) -> bytes:
    if form == "csv":
        names = io.StringIO()
        # Unlike pandas with "\n" at the end of lines, this quotes a name with "\r", which ends lines too.
        csv.writer(names, lineterminator="\r\n").writerow(frame.columns)
        header = names.getvalue().removesuffix("\r\n")
        return (f"{header}\n" + frame.to_csv(index=False, header=False, lineterminator="\n")).encode()
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
