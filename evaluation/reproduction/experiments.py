"""The experiments that `xadbench reproduce` knows: what each runs, and what it makes of the cells."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xadbench.datasets.common.errors import InputError, find, unknown
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.runs.progress import RunProgress

from .comparison import compare
from .detection_grid import Cell, run_grid
from .experiment import SEEDS as SEEDS
from .experiment import Choice, run_experiment
from .experiment import Experiment as OfSuite
from .explanation_experiments import EXPLANATIONS
from .figures import figure1, iteration_curve, retention_study
from .methods import PAPER, Method, find_method
from .published_figures import available, find_datasets, published, published_datasets
from .tables import publish

RATIOS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Publish = Callable[[Sequence[Record], Path, Console], None]


@dataclass(frozen=True)
class Experiment:
    """A line about it, its methods, what is made of the cells, and whether it can show other methods too."""

    description: str
    methods: Callable[[], list[Method]]
    publish: Publish
    takes_others: bool = True


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


def _unsupervised_methods() -> list[Method]:
    paper = [method for method in _paper_methods() if not method.semi_supervised]
    others = DETECTORS.keys() - {method.detector for method in paper}
    return [*paper, *(find_method(name) for name in DETECTORS if name in others)]


def _retentions() -> list[Method]:
    return [Method(f"dsil_fixed_r{r}", "dsil_fixed", {"r": r}) for r in RATIOS]


def _dsil_methods() -> list[Method]:
    return [method for method in _paper_methods() if method.name.startswith("dsil")]


EXPERIMENTS: dict[str, Experiment | OfSuite] = {
    "table1": Experiment("AUC-ROC by data set and method, beside the published", _paper_methods, _table1),
    "supplement-f1": Experiment(
        "F1 by data set and method, beside the published", _supplement_methods, _supplement
    ),
    "figure1": Experiment(
        "mean AUC-ROC and mean rank of all methods, ours and published", _unsupervised_methods, figure1
    ),
    "retention-study": Experiment(
        "AUC-ROC of DSIL against the share of rows it keeps", _retentions, retention_study, takes_others=False
    ),
    "iteration-curve": Experiment("AUC-ROC of DSIL after each iteration", _dsil_methods, iteration_curve),
    **EXPLANATIONS,
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
        Cells go to `folder/cells`, or `folder/trials` for those about explainers, shared by all experiments;
        tables and figures beside it.
    console
        Where progress and tables are printed.

    Returns
    -------
    list of dict
        The cells' records, or those of their explainers.

    Raises
    ------
    InputError
        If a name is unknown, or none of the data sets is there.
    """
    experiment = find("experiment", name, EXPERIMENTS)
    if isinstance(experiment, OfSuite):
        return run_experiment(name, experiment, choice, folder, console)
    methods = _methods(experiment, choice)
    datasets = _datasets(choice, console)
    cells = [Cell(*parts) for parts in itertools.product(datasets, methods, choice.seeds)]
    with RunProgress(len(cells), console) as progress:
        records = run_grid(cells, folder, workers=choice.workers, on_cell=progress.advance_cell)
    experiment.publish(records, folder, console)
    return records


def _methods(experiment: Experiment, choice: Choice) -> list[Method]:
    """Return the experiment's methods; of those named, the experiment's own first, then any other."""
    own = {method.name: method for method in experiment.methods()}
    for name in choice.methods:
        if name not in own and not experiment.takes_others:
            raise unknown("method of this experiment", name, own)
    return [own.get(name) or find_method(name) for name in dict.fromkeys(choice.methods)] or list(
        own.values()
    )


def _datasets(choice: Choice, console: Console) -> list[str]:
    """Return the chosen data sets that are there, saying which are not."""
    found, absent = available(find_datasets(choice.datasets) or published_datasets(), choice.smallest)
    if not found:
        raise InputError(f"no data set of the experiment is there: {next(iter(absent.values()))}")
    if absent:
        reason = next(iter(absent.values()))
        line = f"Absent, left out: {', '.join(absent)} ({reason})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return list(found)
