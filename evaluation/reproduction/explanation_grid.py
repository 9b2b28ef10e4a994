"""The grid behind the paper's explanation results: a detector a cell, a record an explainer, resumable."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config

from xadbench.datasets import InputError
from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import missing
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.results.provenance import versions
from xadbench.evaluation.results.store import Record, is_finished, read_record, write_record
from xadbench.evaluation.suite.controls import CONTROLS, NETWORK_UNKNOWN
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import Source, load_source
from xadbench.evaluation.trial.explain import explain_at_cost, warm_up
from xadbench.evaluation.trial.fit import Fitted, fit
from xadbench.evaluation.trial.key import trial_key
from xadbench.evaluation.trial.limits import one_thread
from xadbench.evaluation.trial.outcome import contained, not_ok

from .explanation_scores import Measure

CULPRITS_UNKNOWN = "the table does not name its culprits"
Told = tuple[Record, bool]  # a record, and whether it was computed now


@dataclass(frozen=True)
class ExplainedCell:
    """One detector, fitted to one table with one seed, and the explainers that share it."""

    table: TableSpec
    detector: Component
    seed: int
    explainers: tuple[Component, ...]
    measure: Measure

    def about(self, explainer: Component) -> Record:
        """Return what names a record."""
        return {"dataset": self.table.title, "method": explainer.label, "seed": self.seed}


def run_cells(
    cells: Sequence[ExplainedCell],
    folder: Path,
    *,
    workers: int = 1,
    on_record: Callable[[Record, bool], None] | None = None,
) -> list[Record]:
    """Compute what is not finished yet, and return the records of all.

    A record is written as soon as its explainer is done. A finished one is read instead, unless what it
    depends on (the table's content, a parameter, a component's version) is another by now. What fails is
    recorded with its reason, and tried again on the next run. Each cell is computed on one thread; no number
    but `seconds` depends on `workers`.

    Parameters
    ----------
    cells
        What to compute, in this order.
    folder
        Records are kept in `folder/trials`.
    workers
        Number of processes, at least 1.
    on_record
        Called with each record, and whether it was computed now.

    Returns
    -------
    list of dict
        By cell, then explainer: `dataset`, `method`, `seed`, `status` ("ok", "skipped" or "error"), `reason`;
        for ok also `seconds` to explain all rows, and apart `explainer_fit_seconds`, both behind a warm-up
        (imports and first calls are not in it); `n_explained`, and what the measure tells;
        `auc_roc` and `fit_seconds` of the detector.
    """
    found: dict[int, list[Record]] = {}
    for i, (record, is_new) in _compute(cells, folder, workers):
        found.setdefault(i, []).append(record)
        if on_record is not None:
            on_record(record, is_new)
    return [record for i in range(len(cells)) for record in found[i]]


def _compute(cells: Sequence[ExplainedCell], folder: Path, workers: int) -> Iterator[tuple[int, Told]]:
    """Yield each record with the number of its cell; with several workers, a cell's records together."""
    if workers == 1:
        yield from ((i, told) for i, cell in enumerate(cells) for told in _run(cell, folder))
        return
    waiting = set(range(len(cells)))
    with parallel_config(
        "loky", n_jobs=workers, inner_max_num_threads=1
    ):  # loky: for the reasons of the grid
        pool = Parallel(return_as="generator_unordered", batch_size=1)
        try:
            for i, records in pool(delayed(_run_in_worker)(i, cell, folder) for i, cell in enumerate(cells)):
                waiting.remove(i)
                yield from ((i, told) for told in records)
        except BrokenExecutor:
            reason = "a worker was killed, perhaps for want of memory; use fewer workers"
            yield from ((i, told) for i in sorted(waiting) for told in _failed(cells[i], reason))


def _run_in_worker(i: int, cell: ExplainedCell, folder: Path) -> tuple[int, list[Told]]:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    return i, list(_run(cell, folder))


def _run(cell: ExplainedCell, folder: Path) -> Iterator[Told]:
    """Yield the records of a cell; the detector is fitted only if one is left to compute."""
    with one_thread():
        try:
            source = load_source(cell.table, cell.seed)
        except InputError as error:  # one table must not end the run of the others
            yield from _failed(cell, str(error))
            return
        except Exception as error:  # noqa: BLE001  # nor may a fault of ours, or of a library
            yield from _failed(cell, f"{type(error).__name__}: {error}")
            return
        detection: dict[str, Any] = {}
        for explainer in cell.explainers:
            key = _key(cell, explainer, source)
            record = read_record(folder, key)
            is_new = not is_finished(record)
            if record is None or is_new:
                detection = detection or contained(lambda: _detect(source, cell.detector))
                result = _result(detection, explainer, source, cell.measure)
                record = write_record(folder, {"key": key, "versions": versions(), **result})
            yield record | cell.about(explainer), is_new


def _failed(cell: ExplainedCell, reason: str) -> Iterator[Told]:
    for explainer in cell.explainers:
        yield cell.about(explainer) | not_ok("error", reason), True


def _key(cell: ExplainedCell, explainer: Component, source: Source) -> str:
    key = trial_key(source, cell.detector, explainer, cell.measure.metrics)
    return f"{cell.measure.name}-{cell.measure.version}-{key}"


def _detect(source: Source, detector: Component) -> dict[str, Any]:
    fitted = fit(source, detector)
    if fitted is None:
        return not_ok("skipped", NETWORK_UNKNOWN)
    size = {"n_rows": fitted.table.n_rows, "n_features": fitted.table.n_features}
    return {"fitted": fitted, "about": {"fit_seconds": fitted.seconds, **size, **fitted.quality()}}


def _result(detection: Record, component: Component, source: Source, measure: Measure) -> Record:
    fitted: Fitted | None = detection.get("fitted")
    if fitted is None:
        return detection
    about: Record = detection["about"]
    return about | contained(lambda: _explained(fitted, component, source, measure))


def _explained(fitted: Fitted, component: Component, source: Source, measure: Measure) -> Record:
    rows = np.sort(fitted.flagged)
    attributions, seconds = _attributions(fitted, component, source, rows)
    if isinstance(attributions, str):
        return not_ok("skipped", attributions)
    told = {"status": "ok", "reason": None, **seconds, "n_explained": len(rows)}
    return told | measure.compute(attributions, rows, fitted, source.seed)


def _attributions(
    fitted: Fitted, component: Component, source: Source, rows: IntArray
) -> tuple[FloatArray | str, dict[str, float]]:
    """Return the attributions (r, d) of the rows (r,), or in one line why there are none; and the seconds."""
    if component.name in CONTROLS:
        if source.table.mask is None:
            return CULPRITS_UNKNOWN, {}
        with metrics.metered() as cost:
            known = CONTROLS[component.name](source, rows)
        return NETWORK_UNKNOWN if known is None else known, {"seconds": cost.seconds}
    explainer = make_explainer(component.name, random_state=source.seed, **component.params)
    if reason := missing(explainer, fitted.detector):
        return reason, {}
    warm_up(component, fitted, rows)
    attributions, costs = explain_at_cost(explainer, fitted, rows)
    return attributions, {
        "seconds": costs["explain"].seconds,
        "explainer_fit_seconds": costs["fit"].seconds,
    }
