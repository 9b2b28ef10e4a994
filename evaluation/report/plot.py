"""Figures of results and attributions, of plotly, to show in a notebook or write to a file."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.results.ranking import Board, boards, headline
from xadbench.evaluation.results.record import TrialRecord
from xadbench.evaluation.results.run_results import results_of
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from . import figures

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["attributions", "cost", "leaderboard"]

AnyRun: TypeAlias = str | os.PathLike[str] | Iterable[TrialRecord | dict[str, Any]]
SHOWN = 20  # features of a row


def leaderboard(run: AnyRun, scope: str = HEADLINE_SCOPE) -> "Figure":
    """Plot the mean adjusted nDCG_m of each explainer with its 95 % interval, a colour for each detector.

    Parameters
    ----------
    run
        A run's folder, `shipped:SUITE`, or records, as `run_suite` returns them.
    scope
        "anomalies", "detected" or "flagged".

    Returns
    -------
    plotly.graph_objects.Figure
        Bars over the same cells (a table, a seed) for all explainers of a detector; controls in grey.

    Raises
    ------
    InputError
        If the run cannot be read, or for an unknown scope.

    Examples
    --------
    >>> from xadbench import plot
    >>> figure = plot.leaderboard("shipped:quick")
    >>> figure.layout.xaxis.title.text
    'adjusted nDCG_m (0 = chance, 1 = truth)'
    """
    return _figure(figures.bars(_boards(run, scope)))


def cost(run: AnyRun, scope: str = HEADLINE_SCOPE) -> "Figure":
    """Plot the mean adjusted nDCG_m of each explainer against the seconds that it takes to fit and explain.

    Parameters, errors and the meaning of a mean are those of `leaderboard`.

    Examples
    --------
    >>> from xadbench import plot
    >>> plot.cost("shipped:quick").layout.xaxis.type
    'log'
    """
    return _figure(figures.scatter(_boards(run, scope)))


def attributions(
    values: ArrayLike, feature_names: Sequence[str] = (), ground_truth: ArrayLike | None = None
) -> "Figure":
    """Plot the attributions of a row, the largest first; ground-truth features stand out by colour.

    Parameters
    ----------
    values : (d,) float64
        The row's attributions. At most 20 features are shown.
    feature_names
        One name for each feature; default: x0, x1, ...
    ground_truth : (d,) bool
        The row of the table's mask.

    Raises
    ------
    InputError
        If the values are not one finite number a feature, or the others are not of as many features.

    Examples
    --------
    >>> from xadbench import plot
    >>> plot.attributions([0.1, 0.9], feature_names=["height", "weight"], ground_truth=[0, 1]).data[0].y
    ('weight', 'height')
    """
    try:
        row = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"values are not numbers: {error}") from None
    if row.ndim != 1 or not len(row) or not np.isfinite(row).all():
        raise InputError(f"values have shape {row.shape}; expected (d,), one finite number for each feature")
    names = [str(name) for name in feature_names] or [f"x{i}" for i in range(len(row))]
    is_true = np.zeros(len(row), dtype=bool) if ground_truth is None else np.asarray(ground_truth, dtype=bool)
    for name, found in (("feature_names", (len(names),)), ("ground_truth", is_true.shape)):
        if found != row.shape:
            raise InputError(f"{name} has shape {found}, expected {row.shape}, as values")
    order = np.argsort(-row, kind="stable")[:SHOWN]
    return _figure(figures.shares([names[i] for i in order], row[order].tolist(), is_true[order].tolist()))


@one_thread()
def _boards(run: AnyRun, scope: str) -> list[Board]:
    if scope not in SCOPES:
        raise unknown("scope", scope, SCOPES)
    return headline(boards(results_of(run)), scope)


def _figure(of: dict[str, Any]) -> "Figure":
    from plotly.graph_objects import Figure  # noqa: PLC0415  # takes a while to import

    return Figure(of)
