"""How long fits and trials take here: by past records, or by shipped figures and a short calibration."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from xadbench.evaluation.metrics import matmul_seconds
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import ComponentFacts
from xadbench.evaluation.suite.expand import combinations
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec
from xadbench.evaluation.suite.tables import n_values

from .execution import UnderWay

LONGEST = 10**12  # seconds
SIMILAR = 2.0  # tables are of similar size if neither has more than so many times the values of the other
Past = dict[str, list[tuple[int, float]]]  # sizes and seconds by what was done
Work = dict[UnderWay, float]  # seconds of each fit and trial


class Timings:
    """Times of fits and trials on one worker of this machine.

    Parameters
    ----------
    runs
        A folder of runs whose records tell; None for the shipped figures alone.
    """

    def __init__(self, runs: Path | None = None) -> None:
        self._past = {} if runs is None else _past(runs)
        self._unit = matmul_seconds()

    def seconds(self, size: int | None, detector: Component, explainer: Component | None = None) -> float:
        """Return how long a trial takes, or without an explainer a fit, on a table of so many values.

        The median of past records of the same on tables of similar size; else the shipped figures in units
        of this machine, as if time grew as the number of values; else past records on other tables, likewise.
        What nobody has timed takes the median of all that is shipped.
        """
        alike, others = self._recorded(size, detector, explainer)
        units = _units(detector, explainer)
        if alike:
            return median(alike)
        if units is None and others:
            return median(others)
        factor = 1.0 if size is None else size / _shipped()["n_values"]
        return (_typical(explainer) if units is None else units) * self._unit * factor

    def is_recorded(self, size: int | None, detector: Component, explainer: Component | None) -> bool:
        """Whether past records tell how long that takes."""
        alike, others = self._recorded(size, detector, explainer)
        return bool(alike or (others and _units(detector, explainer) is None))

    def _recorded(
        self, size: int | None, detector: Component, explainer: Component | None
    ) -> tuple[list[float], list[float]]:
        """Return times on tables of similar size, and those on others as if these had this size."""
        records = self._past.get(_kind(detector, explainer), [])
        if size is None:
            return [took for _, took in records], []
        is_alike = [size / SIMILAR <= other <= size * SIMILAR for other, _ in records]
        alike = [took for (_, took), alike in zip(records, is_alike, strict=True) if alike]
        return alike, [took * size / other for other, took in records]

    def work_of(self, suite: Suite) -> Work:
        """Return the time of each fit and trial of a suite."""
        work: Work = {}
        for spec, seed, detector, explainers in combinations(suite):
            size = n_values(spec)
            for explainer in (None, *explainers):
                work[step(spec, seed, detector, explainer)] = self.seconds(size, detector, explainer)
        return work


def in_hours(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds, at most LONGEST: a damaged record may say anything."""
    return str(timedelta(seconds=min(round(seconds), LONGEST)))


def step(spec: TableSpec, seed: int, detector: Component, explainer: Component | None) -> UnderWay:
    """Return a trial by its labels, or without an explainer a fit."""
    return UnderWay(spec.title, detector.label, None if explainer is None else explainer.label, seed)


@cache
def _shipped() -> Any:
    """Return the shipped figures: seconds of fits and trials over those of a product of two matrices."""
    return json.loads((files("xadbench.evaluation.runs") / "timings.json").read_text(encoding="utf-8"))


def _units(detector: Component, explainer: Component | None) -> float | None:
    """Return the shipped figure of a fit or trial with default parameters; None without."""
    shipped = _shipped()
    if explainer is None:
        return None if detector.params else shipped["fits"].get(detector.name)
    by_detector = shipped["trials"].get(explainer.name)
    if not by_detector or explainer.params:
        return None
    found: float = by_detector.get(detector.name) or median(by_detector.values())
    return found


def _typical(explainer: Component | None) -> float:
    """Return the median figure of all fits or trials."""
    of_trials = (one for own in _shipped()["trials"].values() for one in own.values())
    return float(median(_shipped()["fits"].values() if explainer is None else of_trials))


def _past(runs: Path) -> Past:
    """Return sizes and times by detector and explainer, and by detector alone for fitting."""
    past: Past = defaultdict(list)
    for record in _finished(runs):
        table, detector = record.table, record.detector
        if table.n_rows is None or table.n_features is None:
            continue
        size = table.n_rows * table.n_features
        time = record.seconds if record.elapsed_seconds is None else record.elapsed_seconds
        for explainer, took in ((record.explainer, time), (None, detector.fit_seconds)):
            if took is not None:
                past[_kind(detector, explainer)].append((size, took))
    return past


def _finished(runs: Path) -> Iterator[store.Record]:
    for path in runs.glob("*/trials/*.json"):
        record = store.read_trial(path.parents[1], path.stem)
        if record is not None and record.is_finished:
            yield record


def _kind(detector: Component | ComponentFacts, explainer: Component | ComponentFacts | None) -> str:
    """Return what records must share, as text: names and parameters, whatever their labels."""
    parts = [part and [part.name, part.params] for part in (detector, explainer)]
    return json.dumps(parts, sort_keys=True, default=str)
