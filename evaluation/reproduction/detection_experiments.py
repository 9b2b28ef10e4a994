"""The paper's detection results: table I, the supplement's F1, figure 1, and the studies of DSIL."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.common.specs import build_spec
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.controls import NONE
from xadbench.evaluation.suite.spec import SEMI_SUPERVISED, Suite, TableSpec

from .comparison import Cell, compare
from .experiment import Choice, Experiment, View, say_absent
from .figures import figure1, iteration_curve, retention_study
from .methods import (
    NAMES,
    Method,
    dsil_methods,
    find_method,
    paper_methods,
    retention_methods,
    supplement_methods,
    unsupervised_methods,
)
from .published_figures import available, find_datasets, published, published_datasets
from .tables import publish

Methods = Callable[[], Sequence[Method]]


def chosen_suite(
    name: str, methods: Methods, choice: Choice, console: Console, *, takes_others: bool = True
) -> Suite:
    """Return the suite of the chosen data sets and methods; see `Experiment.suite`.

    `takes_others`: whether any registered detector can be chosen, not only the experiment's own methods.
    """
    chosen = _methods(methods(), choice.methods, takes_others=takes_others)
    suite = detection_suite(name, _datasets(choice, console), chosen, choice.seeds)
    return suite.model_copy(update={"timeout": choice.timeout})


def detection_suite(
    name: str, datasets: Sequence[str], methods: Sequence[Method], seeds: Sequence[int]
) -> Suite:
    """Return the suite of methods on data sets of ADBench, without an explainer.

    A data set is there twice where some methods are semi-supervised and others are not.
    """
    detectors = {one: [m.detector for m in methods if m.semi_supervised == one] for one in (False, True)}
    kinds = [is_semi for is_semi, of_kind in detectors.items() if of_kind]
    tables = {one: [_table(dataset, is_semi_supervised=one) for dataset in datasets] for one in kinds}
    spec = {
        "name": f"paper-{name}",
        "tables": [table for pair in zip(*tables.values(), strict=True) for table in pair],
        "detectors": [*{method.detector.label: method.detector for method in methods}.values()],
        "explainers": [NONE],
        "controls": False,
        "include": [
            {"table": [table.title for table in tables[one]], "detector": [d.label for d in detectors[one]]}
            for one in kinds
        ],
        "seeds": seeds,
    }
    return build_spec(spec, Suite, where=f"suite {spec['name']}")


def _table(dataset: str, *, is_semi_supervised: bool) -> TableSpec:
    title = f"{dataset}{SEMI_SUPERVISED}" if is_semi_supervised else dataset
    return TableSpec(name=title, dataset=f"adbench:{dataset}", semi_supervised=is_semi_supervised)


def _methods(own: Sequence[Method], names: Sequence[str], *, takes_others: bool) -> list[Method]:
    """Return the experiment's methods, or those named: its own, else any other."""
    known = {method.name: method for method in own}
    for name in names:
        if name not in known and not takes_others:
            raise unknown("method of this experiment", name, known)
    chosen = [known.get(name) or find_method(name) for name in names]
    return list({method.name: method for method in chosen or own}.values())


def _datasets(choice: Choice, console: Console) -> list[str]:
    """Return the chosen data sets that are there, saying which are not."""
    found, absent = available(find_datasets(choice.datasets) or published_datasets(), choice.smallest)
    reason = next(iter(absent.values()), "")
    if not found:
        raise InputError(f"no data set of the experiment is there: {reason}")
    say_absent([*absent], reason, console)
    return found


def detection_cells(records: Sequence[Record]) -> list[Cell]:
    """Return a flat cell each record: a data set, a method and a seed, with the quality of the detection."""
    return list(map(_cell, records))


def _cell(record: Record) -> Cell:
    table, detector = record.table.label, record.detector
    dataset = table.removesuffix(SEMI_SUPERVISED)
    return {
        "dataset": dataset,
        "method": NAMES.get((detector.label, dataset != table), detector.label),
        "params": detector.params,
        "seed": record.seed,
        "status": record.status,
        "reason": record.reason,
        **detector.quality,
        "iteration_auc_roc": detector.iteration_auc_roc or None,
    }


def _compared(metric: str, source: str, title: str, name: str) -> View:
    """Return a view that shows a metric next to its published figures."""

    def view(records: Sequence[Record], folder: Path, console: Console) -> None:
        board = compare(detection_cells(records), metric, published(source))
        publish(board, title, name, folder, console)

    return view


def _drawn(draw: Callable[[Sequence[Cell], Path, Console], None]) -> View:
    return lambda records, folder, console: draw(detection_cells(records), folder, console)


F1_TITLE = "Supplement: F1 at the true number of anomalies"
DETECTION = {
    "table1": Experiment(
        "AUC-ROC by data set and method, with the published figures",
        partial(chosen_suite, "table1", paper_methods),
        _compared("auc_roc", "table1_auc_roc", "Table I: AUC-ROC", "table1"),
    ),
    "supplement-f1": Experiment(
        "F1 by data set and method, with the published figures",
        partial(chosen_suite, "supplement-f1", supplement_methods),
        _compared("f1_at_n", "supplement_f1", F1_TITLE, "supplement-f1"),
    ),
    "figure1": Experiment(
        "mean AUC-ROC and mean rank of all methods, ours and published",
        partial(chosen_suite, "figure1", unsupervised_methods),
        _drawn(figure1),
    ),
    "retention-study": Experiment(
        "AUC-ROC of DSIL by the share of rows that it keeps",
        partial(chosen_suite, "retention-study", retention_methods, takes_others=False),
        _drawn(retention_study),
    ),
    "iteration-curve": Experiment(
        "AUC-ROC of DSIL after each iteration",
        partial(chosen_suite, "iteration-curve", dsil_methods),
        _drawn(iteration_curve),
    ),
}
