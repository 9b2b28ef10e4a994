"""The paper's explanation results: tables III, IV and V, and figure 2."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rich.console import Console

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.common.specs import build_spec
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.suite.controls import CONTROLS, NONE
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec, load_suite

from .experiment import Choice, Experiment, View, say_absent
from .explanation_tables import explanation_table, faithfulness_figure, infidelity_table
from .published_figures import available

REFERENCES = ("z_score", "random")  # next to which any explainer is shown
ADBENCH = "adbench:"


def chosen_suite(load: Callable[[], Suite], choice: Choice, console: Console) -> Suite:
    """Return the chosen part of the suite that `load` returns; see `Experiment.suite`.

    Tables are named by their titles, in any case; explainers may be any registered ones. |z|, random
    attributions and the controls come with any.
    """
    suite = load()
    if choice.smallest is not None:
        raise InputError(f"{suite.name} does not choose by size; name its data sets instead (--datasets)")
    tables = _present(_named_tables(suite.tables, choice.datasets), console)
    explainers = _explainers(suite, choice.methods)
    part = {"tables": tables, "explainers": explainers, "seeds": choice.seeds, "timeout": choice.timeout}
    return build_spec(dict(suite) | part, Suite, where=f"suite {suite.name}")


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
    say_absent(missing, reason, console)
    return tuple(table for table in tables if table.title not in missing)


def _explainers(suite: Suite, names: Sequence[str]) -> tuple[Component, ...]:
    """Return the suite's explainers, or those named; behind them the references that are not among them."""
    own = {explainer.label: explainer for explainer in suite.explainers}
    known = own.keys() | EXPLAINERS.keys() | CONTROLS.keys()
    for name in names:
        if name not in known:
            raise unknown("explainer", name, known)
    always = [*REFERENCES, *(name for name in own if name == NONE)]
    chosen = dict.fromkeys([*(names or own), *always])
    return tuple(own.get(name) or Component(name=name) for name in chosen)


def _experiment(name: str, description: str, view: View) -> Experiment:
    return Experiment(description, partial(chosen_suite, partial(load_suite, f"paper-{name}")), view)


EXPLANATIONS = {
    "table3": _experiment(
        "table3",
        "nDCG_m and Acc_m of explainers on synthetic sets, with the published figures",
        partial(explanation_table, "table3"),
    ),
    "table4": _experiment(
        "table4", "the same on ADBench with injected anomalies", partial(explanation_table, "table4")
    ),
    "table5": _experiment(
        "table5",
        "infidelity of explainers on real sets, by its definition, with the published figures",
        infidelity_table,
    ),
    "figure2": _experiment(
        "figure2", "faithfulness at k of explainers on synthetic and real sets", faithfulness_figure
    ),
}
