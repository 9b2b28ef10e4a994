"""The paper's explanation results that `xadbench reproduce` knows: tables III, IV and V, and figure 2."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.suite.controls import CONTROLS
from xadbench.evaluation.suite.expand import with_controls
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec, load_suite

from . import explanation_tables as explained_report
from .explanation_grid import ExplainedCell, run_cells
from .explanation_scores import BLAME, FORECAST, Measure
from .published_figures import available

REFERENCES = ("z_score", "random")  # beside which any explainer is to be seen
ADBENCH = "adbench:"


@dataclass(frozen=True)
class Study:
    """A line about it; its tables, detector and explainers; what is measured, and what is made of it.

    `knows_truth`: whether the tables name their culprits, so that the controls can take part.
    """

    description: str
    suite: Callable[[], Suite]
    measure: Measure
    publish: Callable[[Sequence[Record], Path, Console], None]
    knows_truth: bool = True


STUDIES = {
    "table3": Study(
        "nDCG_m and Acc_m of explainers on synthetic sets, beside the published",
        partial(load_suite, "paper-table3"),
        BLAME,
        partial(explained_report.blame_table, "table3"),
    ),
    "table4": Study(
        "the same on ADBench with injected anomalies",
        partial(load_suite, "paper-table4"),
        BLAME,
        partial(explained_report.blame_table, "table4"),
    ),
    "table5": Study(
        "infidelity of explainers on real sets, by its definition, beside the published",
        partial(load_suite, "paper-table5"),
        FORECAST,
        explained_report.infidelity_table,
        knows_truth=False,
    ),
    "figure2": Study(
        "faithfulness at k of explainers on synthetic and real sets",
        partial(load_suite, "paper-figure2"),
        FORECAST,
        explained_report.faithfulness_figure,
        knows_truth=False,
    ),
}


def run_study(
    study: Study,
    folder: Path,
    console: Console,
    *,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    seeds: Sequence[int],
    workers: int = 1,
) -> list[Record]:
    """Run a study, or go on where that was stopped, and publish what it makes of the records.

    Parameters
    ----------
    study
        Of `STUDIES`.
    folder
        Records go to `folder/trials`, tables and figures beside it.
    console
        Where progress and tables are printed.
    datasets, methods
        Titles of its tables, in any case, and explainers, of its own or registered; where empty, all its own.
        |z|, random blame and the controls come with any.
    seeds
        Each names a table's rows, and the seed of detector and explainers.
    workers
        Number of processes.

    Raises
    ------
    InputError
        If a name is unknown, or none of the tables is there.
    """
    suite = study.suite()
    tables = _present(_named_tables(suite.tables, datasets), console)
    suite = suite.model_copy(update={"tables": tables, "explainers": _explainers(suite, methods)})
    explainers = with_controls(suite) if study.knows_truth else suite.explainers
    (detector,) = suite.detectors
    cells = [
        ExplainedCell(table, detector, seed, explainers, study.measure) for table in tables for seed in seeds
    ]
    with RunProgress(len(cells) * len(explainers), console) as progress:
        records = run_cells(cells, folder, workers=workers, on_record=progress.advance_cell)
    study.publish(records, folder, console)
    return records


def _named_tables(tables: Sequence[TableSpec], names: Iterable[str]) -> list[TableSpec]:
    known = {table.title.lower(): table for table in tables}
    for name in names:
        if name.lower() not in known:
            raise unknown("data set of this experiment", name, [table.title for table in tables])
    return [known[name.lower()] for name in dict.fromkeys(names)] or list(tables)


def _present(tables: Sequence[TableSpec], console: Console) -> tuple[TableSpec, ...]:
    """Return the tables whose data are there, saying which are not."""
    needed = {
        table.title: str(table.dataset).removeprefix(ADBENCH)
        for table in tables
        if str(table.dataset).startswith(ADBENCH)
    }
    _, absent = available(list(dict.fromkeys(needed.values())))
    missing = [title for title, name in needed.items() if name in absent]
    reason = next(iter(absent.values()), "")
    if len(missing) == len(tables):
        raise InputError(f"no data set of the experiment is there: {reason}")
    if missing:
        line = f"Absent, left out: {', '.join(missing)} ({reason})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return tuple(table for table in tables if table.title not in missing)


def _explainers(suite: Suite, names: Sequence[str]) -> tuple[Component, ...]:
    """Return the suite's explainers, or those named; behind them the references that are not among them."""
    own = {explainer.label: explainer for explainer in suite.explainers}
    known = own.keys() | EXPLAINERS.keys() | CONTROLS.keys()
    for name in names:
        if name not in known:
            raise unknown("explainer", name, known)
    chosen = dict.fromkeys([*(names or own), *REFERENCES])
    return tuple(own.get(name) or Component(name=name) for name in chosen)
