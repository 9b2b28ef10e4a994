"""The metrics of a report that it does not rank by: means over rows, and how many rows have no value."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.results.frame import ResultFrame
from xadbench.evaluation.results.leaderboard import SCORES, leaderboard
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE

COLUMNS = ("detector", "metric", "explainer", "mean", "undefined", "trials")


def further_metrics(frame: ResultFrame) -> pd.DataFrame:
    """Return COLUMNS for each detector, metric and explainer: the figures that `xadbench run` prints.

    Means over the trials that have one, of the headline's scope; `undefined`: rows without a value, which no
    mean counts; `trials`: with a score, of all. Metrics that use the ground truth are adjusted for chance.
    """
    scored = set(frame.means(HEADLINE_SCOPE)["metric"].unique())
    names = [name for name in METRICS if name in scored]
    rows = list(_rows(leaderboard(frame, HEADLINE_SCOPE, requested=names), names)) if names else []
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["detector", "metric"], kind="stable")


def _rows(board: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield COLUMNS for each row of a leaderboard and each metric that it has a column of."""
    shown = [(f"adjusted_{name}" if METRICS[name].needs_ground_truth else name, name) for name in names]
    for row in board.to_dict("records"):
        for column, name in shown:
            if column in row and column not in SCORES:
                undefined = row.get(f"n_undefined_{name}", 0)
                count = 0.0 if pd.isna(undefined) else float(undefined)
                yield row["detector"], column, row["explainer"], row[column], count, row["trials"]
