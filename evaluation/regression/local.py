"""Losses on one trial, table or detector, which a mean over tables does not show.

Runs of equal seeds score the same rows, so that differences of single rows are pairs. Their interval says
whether a loss is more than the chance of which rows there are. Where a trial's key and the environment are
equal, scores repeat, and a difference is a fact, which needs no interval.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.results.frame import IDENTITY, ROW_COLUMNS, VALUE

PARTS = {
    "trial": ["table", "seed", "detector"],
    "table": ["table"],
    "detector": ["detector"],
    "explainer": [],
}
# What may be lost there, in units of a metric that is 1 at best; by an explainer, the tolerance of the check.
TOLERATED = {"trial": 0.1, "table": 0.05, "detector": 0.05, "explainer": 0.0}
ROUNDING = 2e-6  # of the scores of rows
OF_ROWS = [f"{name}_{of}" for name in ROW_COLUMNS for of in ("base", "new")]
SCOPES_OF_ROWS = ("anomalies", "detected")
POWER = 0.95


class RowChanges(NamedTuple):
    """What the rows of a trial contribute to its change: `influences` (r,), and their `weights`, of sum 1."""

    influences: FloatArray
    weights: FloatArray


class _Trial(NamedTuple):
    identity: dict[str, object]
    base: float
    new: float
    is_fact: bool
    rows: RowChanges | None


class Change(NamedTuple):
    """The change of an explainer's mean score on a part of the suite.

    `spread` is its standard error by rows, 0 of a fact and NaN where the rows are not known, and `freedom`
    the degrees of freedom of that; `n_rows` the (effective) number of rows; `differs` whether the score of
    any row does.
    """

    level: str
    where: str
    explainer: str
    base: float
    new: float
    n_trials: int
    is_fact: bool
    spread: float
    n_rows: float
    freedom: float
    differs: bool

    @property
    def is_tested(self) -> bool:
        """Whether its interval depends on chance."""
        return self.differs and not self.is_fact and self.n_rows > 1

    def margin(self, bound: float) -> float:
        """Return half the width of the interval whose ends hold with probability `bound` each."""
        return 0.0 if self.is_fact else _quantile(bound, self.freedom) * self.spread

    def smallest_found(self, bound: float, tolerated: float) -> float:
        """Return the loss that is found with probability POWER; NaN where the rows are too few for any.

        A loss of L is taken for one of all that a share L of the rows had, which has the widest spread.
        """
        if self.is_fact:
            return tolerated
        loss = np.arange(0.01, 1.001, 0.01)
        n = self.n_rows
        spread = np.sqrt(np.nan_to_num(self.spread) ** 2 + loss * (1 - loss) / n + (loss / (n + 1)) ** 2)
        is_found = loss > (_quantile(bound, n - 1) + _quantile(POWER, n - 1)) * spread
        return max(tolerated, float(loss[is_found][0])) if is_found.any() else float("nan")


@cache
def _quantile(probability: float, freedom: float) -> float:
    from scipy.stats import t  # noqa: PLC0415  # takes a while to import

    return float(t.ppf(probability, freedom)) if freedom > 0 else float("nan")


def part_changes(cells: pd.DataFrame, trials: pd.DataFrame, scope: str, metric: str) -> Iterator[Change]:
    """Yield the changes on all parts of the suite, by explainer.

    Parameters
    ----------
    cells
        By IDENTITY: `base` and `new`, a trial's scores in both runs.
    trials
        By IDENTITY: `is_fact`, whether key and environment are equal, and OF_ROWS.
    scope, metric
        What the scores are of.
    """
    has_rows = metric == VALUE and scope in SCOPES_OF_ROWS
    known, columns = cells.join(trials), ["base", "new", "is_fact", *OF_ROWS]
    pairs = [
        _Trial(
            dict(zip(IDENTITY, identity, strict=True)),
            *(float(base), float(new), bool(is_fact)),
            _row_changes(rows, scope) if has_rows else None,
        )
        for identity, base, new, is_fact, *rows in known[columns].itertuples(name=None)
    ]
    for level, names in PARTS.items():
        parts: dict[tuple[object, ...], list[_Trial]] = defaultdict(list)
        for one in pairs:
            parts[*(one.identity[name] for name in names), one.identity["explainer"]].append(one)
        for part, own in parts.items():
            yield _change(level, part, own)


def _row_changes(rows: Sequence[object], scope: str) -> RowChanges | None:
    """Return what OF_ROWS contribute; None where a run does not have them, or not the same rows."""
    arrays = [one for one in rows if isinstance(one, np.ndarray)]
    if len(arrays) < len(OF_ROWS) or len({len(one) for one in arrays}) > 1:
        return None
    before, after, w, v = arrays
    (of_base, w), (of_new, v) = _influences(before, w, scope), _influences(after, v, scope)
    return RowChanges(of_new - of_base, (w + v) / 2)


def _influences(values: FloatArray, detected: FloatArray, scope: str) -> tuple[FloatArray, FloatArray]:
    """Return what each row contributes to the deviation of a weighted mean from its expectation."""
    values = values.astype(float)
    weights = np.ones(len(values)) if scope == "anomalies" else detected.astype(float)
    weights = weights / max(weights.sum(), 1e-12)
    return weights * (values - weights @ values), weights


def _change(level: str, part: Sequence[object], own: Sequence[_Trial]) -> Change:
    base, new = float(np.mean([one.base for one in own])), float(np.mean([one.new for one in own]))
    is_fact, tables = all(one.is_fact for one in own), _by_table(own)
    influences = np.concatenate([np.zeros(1), *(one.rows.influences for one in tables)])
    difference = np.abs(np.r_[[one.new - one.base for one in own], influences]).max()
    spread, n_rows, freedom = _spread(tables)
    return Change(
        *(level, _title(level, part), str(part[-1]), base, new, len(own), is_fact),
        *(0.0 if is_fact else spread, n_rows, freedom, bool(difference > ROUNDING)),
    )


def _title(level: str, part: Sequence[object]) -> str:
    names = dict(zip(PARTS[level], map(str, part), strict=False))
    return " / ".join(f"seed {one}" if name == "seed" else one for name, one in names.items())


class _Table(NamedTuple):
    """The share of the rows of a (table, seed) in the change of a mean over trials."""

    rows: RowChanges
    change: float


def _by_table(trials: Sequence[_Trial]) -> list[_Table]:
    """Return the shares of each (table, seed), whose rows its detectors share; none where one has no rows."""
    parts: dict[tuple[object, object], list[tuple[RowChanges, float]]] = defaultdict(list)
    for one in trials:
        if one.rows is None:
            return []
        parts[one.identity["table"], one.identity["seed"]].append((one.rows, one.new - one.base))
    n = len(trials)
    return [
        _Table(
            RowChanges(*(np.sum(part, axis=0) / n for part in zip(*(rows for rows, _ in own), strict=True))),
            sum(change for _, change in own) / n,
        )
        for own in parts.values()
    ]


def _spread(tables: Sequence[_Table]) -> tuple[float, float, float]:
    """Return the standard error of a change, the effective number of rows (Kish), and the degrees of freedom.

    These are Welch and Satterthwaite's. In each table it is as if a further row had not changed, since few
    rows that lose the same by chance have no spread.
    """
    if not tables:
        return np.nan, np.nan, np.nan
    sizes = [float(one.rows.weights.sum() ** 2 / (one.rows.weights**2).sum()) for one in tables]
    freedoms = np.maximum(np.array(sizes) - 1, 0.5)
    variances = np.array(
        [
            (one.rows.influences**2).sum() * n / max(n - 1, 0.5) + (one.change / (n + 1)) ** 2
            for one, n in zip(tables, sizes, strict=True)
        ]
    )
    n_rows = float(1 / sum((one.rows.weights**2).sum() for one in tables))
    variance = float(variances.sum())
    freedom = variance**2 / float((variances**2 / freedoms).sum()) if variance else n_rows - 1
    return float(np.sqrt(variance)), n_rows, freedom
