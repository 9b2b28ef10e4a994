"""Lets an explainer explain rows of a table, checks what it says, and measures what it costs."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.process_state import preserved, unforked
from xadbench.datasets.common.values import aligned
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import Explainer
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.suite.spec import Component

from .fit import Fitted

BRIEF, TIMINGS = 0.1, 5  # seconds of processor time below which a computation is timed so often
MOST_SECONDS = 1.0  # on the clock: what takes longer and computes little waits for something else


def new_explainer(component: Component, seed: int) -> Explainer:
    """Return the explainer that a suite names."""
    return make_explainer(component.made_from, random_state=seed, **component.params)


# What this process has run once: imports and first calls are not timed.
_WARM: set[tuple[str, str, type]] = set()


def warm_up(component: Component, fitted: Fitted, rows: IntArray) -> None:
    """Let an explainer of this name explain one row on such a detector, if it has not yet."""
    what = component.name, component.mark, type(fitted.detector)
    if what not in _WARM:
        with preserved():  # the trial's result is the same where another warmed up
            explain(new_explainer(component, 0), fitted, rows[:1])
        _WARM.add(what)


def with_own_detector(fitted: Fitted) -> Fitted:
    """Return a fitted detector as a copy, so that what an explainer does to it reaches no other trial.

    One that cannot be copied, as a user's may hold what cannot, is shared.
    """
    try:
        return replace(fitted, detector=deepcopy(fitted.detector))
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return fitted


def explain_at_cost(
    explainer: Explainer, fitted: Fitted, rows: IntArray
) -> tuple[FloatArray, dict[str, metrics.Cost]]:
    """Return the attributions of the given rows, and what it costs to fit and to explain.

    What is brief is timed several times, since caches and interrupts weigh much in it: its least times count.
    """
    attributions, costs = _explained_once(explainer, fitted, rows)
    if _is_brief(costs.values()):
        with preserved():  # as above
            for _ in range(TIMINGS - 1):
                _, again = _explained_once(explainer, fitted, rows, memory=False)
                costs = {part: _least_time(cost, again[part]) for part, cost in costs.items()}
    return _checked(attributions, len(rows), fitted), costs


def _explained_once(
    explainer: Explainer, fitted: Fitted, rows: IntArray, *, memory: bool = True
) -> tuple[FloatArray, dict[str, metrics.Cost]]:
    background, X = fitted.background, fitted.table.X[rows]
    with unforked(), metrics.counted(fitted.detector) as counter:
        with metrics.metered(counter, memory=memory) as fitting:
            explainer = explainer.fit(fitted.detector, background=background)
        with metrics.metered(counter, memory=memory) as explaining:
            attributions = explainer.explain(X)
    return attributions, {"fit": fitting, "explain": explaining}


def _is_brief(costs: Iterable[metrics.Cost]) -> bool:
    """Whether costs are those of a brief computation, and not of one that waits, as for another program."""
    times = np.sum([(cost.cpu_seconds, cost.seconds) for cost in costs], axis=0)
    return bool((times < (BRIEF, MOST_SECONDS)).all())


def _least_time(first: metrics.Cost, again: metrics.Cost) -> metrics.Cost:
    """Return the first cost with the less of both processor times, and its wall time."""
    least = min(first, again, key=lambda cost: cost.cpu_seconds)
    return replace(first, seconds=least.seconds, cpu_seconds=least.cpu_seconds)


def explain_anew(component: Component, fitted: Fitted, seed: int, X: FloatArray) -> FloatArray:
    """Return the attributions of rows (n, d) by an explainer of another seed."""
    explainer = new_explainer(component, seed).fit(fitted.detector, background=fitted.background)
    return explain_rows(explainer, fitted, X)


def explain_rows(explainer: Explainer, fitted: Fitted, X: FloatArray) -> FloatArray:
    """Return the attributions of rows (n, d) by a fitted explainer, checked as those of `explain`."""
    return _checked(explainer.explain(X), len(X), fitted)


def explain(explainer: Explainer, fitted: Fitted, rows: IntArray) -> FloatArray:
    """Return the attributions of the given rows of the prepared table, (rows, d), checked.

    Raises
    ------
    ValueError
        If the explainer returns another shape, anything but numbers that float64 holds, values that are NaN
        or infinite, or a frame with labels that are not those of the table.
    """
    fitted_explainer = explainer.fit(fitted.detector, background=fitted.background)
    return explain_rows(fitted_explainer, fitted, fitted.table.X[rows])


def _checked(attributions: FloatArray, n_rows: int, fitted: Fitted) -> FloatArray:
    names, expected = fitted.table.feature_names, (n_rows, fitted.table.n_features)
    attributions = np.array(aligned(attributions, "attributions", names), dtype=np.float64)
    if attributions.shape != expected:
        raise ValueError(f"attributions have shape {attributions.shape}, expected {expected}")
    if bad := int((~np.isfinite(attributions)).sum()):
        raise ValueError(f"{bad} attribution(s) are NaN or infinite")
    return attributions
