"""The experiments that `xadbench reproduce` knows: what each runs, and what it makes of the cells."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xadbench.datasets.errors import InputError, find
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.paper.comparison import compare
from xadbench.evaluation.paper.grid import Cell, run_grid
from xadbench.evaluation.paper.methods import PAPER, Method, find_method
from xadbench.evaluation.paper.published import (
    available,
    find_datasets,
    published,
    published_datasets,
    smallest,
)
from xadbench.evaluation.paper.report import publish
from xadbench.evaluation.progress import RunProgress
from xadbench.evaluation.store import Record

SEEDS = (0, 1, 2, 3, 4)
Publish = Callable[[Sequence[Record], Path, Console], None]


@dataclass(frozen=True)
class Experiment:
    """A line about it, the methods that it runs unless told otherwise, and what is made of the cells."""

    description: str
    methods: Callable[[], list[Method]]
    publish: Publish


@dataclass(frozen=True)
class Choice:
    """What to run of an experiment: where empty or None, all of it; `smallest`: so many data sets."""

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    seeds: Sequence[int] = SEEDS
    smallest: int | None = None
    workers: int = 1


def _paper_methods() -> list[Method]:
    return [method for method in PAPER.values() if method.detector in DETECTORS]


def _supplement_methods() -> list[Method]:
    names = set(published("supplement_f1")["method"])
    return [method for method in _paper_methods() if method.name in names]


def _table1(records: Sequence[Record], folder: Path, console: Console) -> None:
    board = compare(records, "auc_roc", published("table1_auc_roc"))
    publish(board, "Table I: AUC-ROC", "table1", folder, console)


def _supplement(records: Sequence[Record], folder: Path, console: Console) -> None:
    board = compare(records, "f1_at_n", published("supplement_f1"))
    publish(board, "Supplement: F1 at the true number of anomalies", "supplement-f1", folder, console)


EXPERIMENTS: dict[str, Experiment] = {
    "table1": Experiment("AUC-ROC by data set and method, beside the published", _paper_methods, _table1),
    "supplement-f1": Experiment(
        "F1 by data set and method, beside the published", _supplement_methods, _supplement
    ),
}


def reproduce(name: str, choice: Choice, folder: Path, console: Console) -> list[Record]:
    """Run an experiment's cells, or go on where that was stopped, and publish what it makes of them.

    Parameters
    ----------
    name
        A key of `EXPERIMENTS`.
    choice
        Which part of it.
    folder
        Cells go to `folder/cells`, shared by all experiments; tables and figures beside it.
    console
        Where progress and tables are printed.

    Returns
    -------
    list of dict
        The cells' records.

    Raises
    ------
    InputError
        If a name is unknown, or none of the data sets is there.
    """
    experiment = find("experiment", name, EXPERIMENTS)
    methods = [find_method(chosen) for chosen in dict.fromkeys(choice.methods)] or experiment.methods()
    datasets = _datasets(choice, console)
    cells = [Cell(*parts) for parts in itertools.product(datasets, methods, choice.seeds)]
    with RunProgress(len(cells), console) as progress:
        records = run_grid(cells, folder, workers=choice.workers, on_cell=progress.advance_cell)
    experiment.publish(records, folder, console)
    return records


def _datasets(choice: Choice, console: Console) -> list[str]:
    """Return the chosen data sets that are there, saying which are not."""
    found, absent = available(find_datasets(choice.datasets) or published_datasets())
    if not found:
        raise InputError(f"no data set of the experiment is there: {next(iter(absent.values()))}")
    if absent:
        reason = next(iter(absent.values()))
        line = f"Absent, left out: {', '.join(absent)} ({reason})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return list(found) if choice.smallest is None else smallest(found, choice.smallest)
