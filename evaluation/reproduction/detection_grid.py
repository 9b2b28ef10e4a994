"""The grid behind the paper's experiments: a cell a (data set, method, seed), one file each, resumable."""

import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed, parallel_config

from xadbench.datasets import LabelledTable, load_adbench
from xadbench.datasets.sources.adbench import find_adbench
from xadbench.evaluation import metrics
from xadbench.evaluation.results.provenance import versions
from xadbench.evaluation.results.store import REUSED, Record, read_json, write_json
from xadbench.evaluation.trial.limits import one_thread
from xadbench.evaluation.trial.outcome import contained, not_ok

from .methods import Method

METRICS_VERSION = 1  # raised when a measure of `metrics.DETECTION` gives other numbers
Load = Callable[[str], LabelledTable]
OnCell = Callable[[Record, bool], None]


class Cell(NamedTuple):
    """One training: a method on a data set of ADBench, with a seed."""

    dataset: str
    method: Method
    seed: int

    def path(self, folder: Path) -> Path:
        """Return where the cell's record is kept."""
        return folder / "cells" / f"{self.dataset.replace('/', '-')}-{self.method.name}-{self.seed}.json"

    def identity(self) -> dict[str, Any]:
        """Return, as JSON values, what the cell's numbers depend on."""
        source = find_adbench(self.dataset)
        data = {"dataset": self.dataset, "sha256": source.sha256 or None, "git": source.git_blob_sha1}
        measured = {"metrics": METRICS_VERSION, "seed": self.seed}
        return data | measured | self.method.identity(self.seed)


def run_grid(
    cells: Sequence[Cell],
    folder: Path,
    *,
    workers: int = 1,
    load: Load = load_adbench,
    on_cell: OnCell | None = None,
) -> list[Record]:
    """Compute the cells that are not finished yet, and return the records of all.

    A cell is written as soon as it is done. A finished one is read instead, unless its method (a parameter,
    a component's version) is another by now. One that fails is recorded with its reason, and tried again on
    the next run. Numbers are computed on one thread a cell and do not depend on `workers`.

    Parameters
    ----------
    cells
        What to compute, in this order.
    folder
        Records are kept in `folder/cells`.
    workers
        Number of processes, at least 1.
    load
        Returns the table of a data set.
    on_cell
        Called with each record, and whether it was computed now.

    Returns
    -------
    list of dict
        In the order of `cells`: `dataset`, `method`, `params`, `seed`, `status` ("ok", "error", or "skipped"
        where the detector declares that it is not made for such data), `reason`, `warnings`; for ok also
        `auc_roc`, `f1_at_n`, `average_precision`, `seconds` (to fit and to score), and `iteration_auc_roc`, a
        list, where the detector keeps the scores of each iteration.

    Raises
    ------
    InputError
        If a method has an unknown parameter.
    """
    report = on_cell or (lambda record, is_new: None)  # noqa: ARG005  # named as in the protocol
    records: dict[int, Record] = {}
    for i, cell in enumerate(cells):
        if (record := _finished(cell, folder)) is not None:
            records[i] = record
            report(record, False)  # noqa: FBT003  # a callback's second argument
    left = [i for i in range(len(cells)) if i not in records]
    for i, record in _compute(cells, left, folder, workers, load):
        records[i] = record
        report(record, True)  # noqa: FBT003  # as above
    return [records[i] for i in range(len(cells))]


def _finished(cell: Cell, folder: Path) -> Record | None:
    record, identity = read_json(cell.path(folder)), cell.identity()
    usable = record is not None and record.get("identity") == identity and record.get("status") in REUSED
    return record if usable else None


def _compute(
    cells: Sequence[Cell], left: Sequence[int], folder: Path, workers: int, load: Load
) -> Iterator[tuple[int, Record]]:
    """Yield the number and the record of each cell in `left`, as they end."""
    if workers == 1:
        for i in left:
            yield i, _run(cells[i], folder, load)
        return
    waiting = set(left)
    # loky: started afresh, since torch's threads do not survive a fork; killed at once by an interrupt.
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        pool = Parallel(return_as="generator_unordered", batch_size=1)
        try:
            for i, record in pool(delayed(_run_in_worker)(i, cells[i], folder, load) for i in left):
                waiting.remove(i)
                yield i, record
        except BrokenExecutor:
            reason = "a worker was killed, perhaps for want of memory; use fewer workers"
            for i in sorted(waiting):
                yield i, _about(cells[i]) | not_ok("error", reason)


def _run_in_worker(i: int, cell: Cell, folder: Path, load: Load) -> tuple[int, Record]:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    return i, _run(cell, folder, load)


def _run(cell: Cell, folder: Path, load: Load) -> Record:
    with one_thread(), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("module")  # once a module: MCD may repeat itself a hundred times
        record = _about(cell) | contained(lambda: _measure(cell, load))
    record["warnings"] = [f"{one.category.__name__}: {one.message}" for one in told]
    write_json(cell.path(folder), record)
    return record


def _about(cell: Cell) -> Record:
    return {
        "dataset": cell.dataset,
        "method": cell.method.name,
        "params": dict(cell.method.params),
        "seed": cell.seed,
        "identity": cell.identity(),
        "versions": versions(),
    }


def _measure(cell: Cell, load: Load) -> dict[str, Any]:
    training, test = cell.method.prepare(load(cell.dataset), cell.seed)
    detector = cell.method.make(cell.seed)
    start = time.perf_counter()
    detector.fit(training.X)
    scores = np.asarray(detector.decision_function(test.X))
    seconds = time.perf_counter() - start
    quality = {name: function(scores, test.y) for name, function in metrics.DETECTION.items()}
    return {
        "status": "ok",
        "reason": None,
        "n_training_rows": training.n_rows,
        "n_test_rows": test.n_rows,
        "n_features": test.n_features,
        "n_anomalies": int(test.y.sum()),
        "seconds": seconds,
        **quality,
        "iteration_auc_roc": _iteration_aucs(detector, training),
    }


def _iteration_aucs(detector: object, training: LabelledTable) -> list[float] | None:
    """Return the AUC-ROC on the training rows after each iteration, where the detector kept its scores."""
    kept = getattr(detector, "iteration_scores_", None)
    return None if kept is None else [metrics.auc_roc(scores, training.y) for scores in kept]
