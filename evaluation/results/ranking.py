"""Leaderboards of a report: who leads, how surely, and who lacks what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.metrics.intervals import LEVEL
from xadbench.evaluation.trial.evaluate import OF_ANOMALIES
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from . import statistics as stats
from .frame import IDENTITY, REFERENCES, VALUE, AnyResults, as_frame
from .run_results import COSTS, NO_ROW, NOT_RUN, Results

MEANS = ("adjusted_acc_m", "ndcg_m", "acc_m", "chance", "seconds", "normalised_time", *COSTS)
BOARD_COLUMNS = (
    *(*IDENTITY, "scope", "kind", "origin", "n_features", "status", "reason", "is_reference", "auc_roc"),
    *(VALUE, *MEANS),
)
MOST_BOARDS = 150  # of kinds; beyond, they are not split by width too: a report of many tables stays small
KIND_RESAMPLES = 2_000  # so many boards take their time
NO_KINDS = "an older record, without scores by kind"
BEST = 1.0  # of an adjusted nDCG_m
SIGNIFICANT = 1 - LEVEL


class Missing(NamedTuple):
    """An entry that is not ranked: how many cells lack a value, of how many, and why."""

    explainer: str
    n_missing: int
    n_cells: int
    reasons: str


@dataclass(frozen=True, eq=False)
class Board:
    """The leaderboard of a detector in a scope, of all widths or those of d, of all kinds or one of anomaly.

    Attributes
    ----------
    ranked
        By entry, the best first: `mean`, `low`, `high` (of adjusted nDCG_m), `rank`, `tied` (with the best),
        and MEANS, all over the same cells.
    references
        By control: `mean` and `n`, over the cells of `ranked` where it has a value.
    missing
        The entries that are not ranked.
    left_out
        In words, the cells (a table, a seed) where no entry has a value; empty if there are none.
    groups
        The entries by mean rank that do not differ significantly, as `stats.ties` returns them.
    """

    scope: str
    detector: str
    d: int | None
    n_tables: int
    n_sources: int
    n_seeds: int
    n_cells: int
    left_out: str
    auc_roc: float
    ranked: pd.DataFrame
    references: pd.DataFrame
    missing: list[Missing]
    groups: list[list[str]]
    kind: str | None = None

    @property
    def can_differ(self) -> bool:
        """Whether there are sources of tables enough to tell any two entries apart."""
        return _can_differ(self.n_sources, len(self.ranked))


def _can_differ(n_sources: int, n_entries: int) -> bool:
    """Whether the signed-rank test's least p, 2^(1 - n), is significant after Holm's adjustment."""
    n_pairs = max(n_entries * (n_entries - 1) // 2, 1)
    return 2.0 ** (1 - n_sources) * n_pairs < SIGNIFICANT


def boards(results: Results, n_resamples: int = stats.RESAMPLES) -> list[Board]:
    """Return the boards of every scope and detector: over all tables, then, if they differ, by width d.

    Then, for the scopes that hold anomalies alone, the same by kind of anomaly, if there is more than one.
    """
    cells, by_kind = _narrow(cells_of(results)), _narrow(kind_cells(results))
    widths = sorted(int(d) for d in cells["n_features"].dropna().unique())
    parts: list[int | None] = [None, *(widths if len(widths) > 1 else [])]
    kinds = list(by_kind["kind"].unique())
    of_kinds = [(kind, by_kind[by_kind["kind"] == kind]) for kind in kinds] if len(kinds) > 1 else []
    whole = [
        board(of, scope, str(detector), d, n_resamples)
        for scope in SCOPES
        for d in parts
        for detector, of in _part(cells, scope, d).groupby("detector", sort=False)
    ]
    n_boards = len(of_kinds) * len(OF_ANOMALIES) * len(parts) * cells["detector"].nunique()
    return whole + [
        board(of, scope, str(detector), d, min(n_resamples, KIND_RESAMPLES), kind=kind)
        for kind, of_kind in of_kinds
        for scope in OF_ANOMALIES
        for d in (parts if n_boards <= MOST_BOARDS else [None])
        for detector, of in _part(of_kind, scope, d).groupby("detector", sort=False)
    ]


def _narrow(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what boards need of cells: each of its many columns costs time in each of many boards."""
    return cells[[name for name in BOARD_COLUMNS if name in cells]].copy()


def kind_cells(results: Results) -> pd.DataFrame:
    """Return a row each (trial, scope, kind), as `cells_of`; records without scores by kind say so."""
    cells = results.by_kind.merge(results.trials, on=IDENTITY)
    is_old = (cells["status"] == "ok") & ~cells["has_kinds"].astype(bool)
    cells.loc[is_old, ["status", "reason"]] = ["not kept", NO_KINDS]
    return cells


def cells_of(results: Results) -> pd.DataFrame:
    """Return a row each (trial, scope): its scores, status and costs."""
    return results.scores.merge(results.trials, on=IDENTITY)


def _part(cells: pd.DataFrame, scope: str, d: int | None) -> pd.DataFrame:
    chosen = cells["scope"] == scope
    return cells[chosen if d is None else chosen & (cells["n_features"] == d)]


def board(
    cells: pd.DataFrame,
    scope: str,
    detector: str,
    d: int | None = None,
    n_resamples: int = stats.RESAMPLES,
    *,
    kind: str | None = None,
) -> Board:
    """Return the board of cells (a row each table, seed and explainer) of one scope and detector."""
    entries = cells[~cells["is_reference"].astype(bool)]
    grid = stats.common_grid(entries, "explainer", VALUE)
    figures, source = grid.figures, stats.sources_of(cells)
    ranked, groups = _ranked(figures, source, n_resamples)
    inside = cells.set_index([stats.TABLE, stats.SEED]).loc[lambda of: of.index.isin(figures.index)]
    means = inside.groupby("explainer")[list(MEANS)].mean()
    tables = figures.index.get_level_values(stats.TABLE).unique()
    return Board(
        scope=scope,
        detector=detector,
        d=d,
        n_tables=len(tables),
        n_sources=len({source(name) for name in tables}),
        n_seeds=figures.index.get_level_values(stats.SEED).nunique(),
        n_cells=len(figures),
        left_out=_left_out(entries, grid),
        auc_roc=float(inside.groupby(level=[stats.TABLE, stats.SEED])["auc_roc"].first().mean()),
        ranked=ranked.join(means),
        references=_references(inside.reset_index(), source),
        missing=_missing(entries, grid),
        groups=groups,
        kind=kind,
    )


def _ranked(
    figures: pd.DataFrame, source: stats.Source, n_resamples: int, best: float = BEST
) -> tuple[pd.DataFrame, list[list[str]]]:
    if figures.empty:
        return pd.DataFrame(columns=["mean", "low", "high", "rank", "tied"], dtype=float), []
    ranked = stats.means(figures, source=source, n_resamples=n_resamples)
    ranked["high"] = ranked["high"].clip(upper=best)  # a normal theory of few sources knows no bounds
    n_sources = len({source(name) for name in figures.index.unique(stats.TABLE)})
    by_rank = list(ranked.sort_values("rank", kind="stable").index)
    is_best = ranked.index == ranked.index[0]
    if not _can_differ(n_sources, len(ranked)):  # the answer without tests, which take a millisecond a pair
        return ranked.assign(tied=~is_best), [by_rank] if len(by_rank) > 1 else []
    p = stats.pairwise(figures, source)
    ranked["tied"] = (p.loc[ranked.index[0], ranked.index] >= SIGNIFICANT) & ~is_best
    return ranked, stats.ties(p, by_rank)


def _references(cells: pd.DataFrame, source: stats.Source) -> pd.DataFrame:
    """Return mean and count of each control over the cells where it has a value."""
    known = cells[cells["is_reference"].astype(bool) & cells[VALUE].notna()]
    if known.empty:
        return pd.DataFrame(columns=["mean", "n"])
    grid = known.set_index([stats.TABLE, stats.SEED, "explainer"])[VALUE].unstack()  # noqa: PD010  # no aggregation
    means = pd.DataFrame({"mean": stats.by_source(grid, source).mean(), "n": grid.count()})
    return means.loc[known["explainer"].drop_duplicates()].rename_axis(None)


def _missing(entries: pd.DataFrame, grid: stats.Grid) -> list[Missing]:
    has_value = entries[VALUE].notna()
    # Nowhere a value: on no grid.
    absent = set(entries["explainer"].unique()) - set(entries.loc[has_value, "explainer"].unique())
    if not (grid.missing or absent):
        return []
    rows = entries[entries["explainer"].isin([*grid.missing, *absent]) & ~has_value]
    somewhere = entries.loc[has_value, ["table", "seed"]].drop_duplicates()
    if len(somewhere):  # where nobody has a value, no entry lacks one
        rows = rows.merge(somewhere, on=["table", "seed"])
    n_cells = len(somewhere) or len(entries[["table", "seed"]].drop_duplicates())
    lacking = rows.groupby("explainer", sort=False)
    return [Missing(str(name), len(of), n_cells, why(of)) for name, of in lacking]


def _left_out(entries: pd.DataFrame, grid: stats.Grid) -> str:
    """Return which cells no entry has a value on, and why; empty if there are none."""
    if not grid.empty or grid.figures.empty:
        return ""
    places = pd.MultiIndex.from_frame(entries[[stats.TABLE, stats.SEED]])
    gone = entries[places.isin(grid.empty)]
    cells = ", ".join(dict.fromkeys(gone["table"] + " (seed " + gone["seed"].astype(str) + ")"))
    return f"{cells}: {why(gone)}"


def why(rows: pd.DataFrame) -> str:
    """Return the reasons why trials have no value, the most frequent first, with their counts."""
    reasons = rows["reason"].where(rows["status"] != "ok", NO_ROW).fillna(rows["status"])
    status = rows["status"].where(rows["status"] != "ok", "not defined")
    counts = (status + np.where(status == NOT_RUN, "", ": " + reasons)).value_counts()
    return "; ".join(f"{text} ({n} x)" if n > 1 else str(text) for text, n in counts.items())


def rank(
    results: AnyResults,
    metric: str = VALUE,
    scope: str = HEADLINE_SCOPE,
    *,
    higher_is_better: bool = True,
    n_resamples: int = stats.RESAMPLES,
) -> pd.DataFrame:
    """Return means with intervals, and ranks, of the explainers of each detector: the best first.

    Parameters
    ----------
    results
        Records, a `ResultFrame`, or a table of results made elsewhere with columns `table`, `detector`,
        `explainer`, `seed`, `scope`, `metric` and `value`, see `frame.as_frame`.
    metric, scope
        What to rank by.
    higher_is_better
        The direction of the metric.
    n_resamples
        Of the bootstrap behind the intervals.

    Returns
    -------
    DataFrame
        `detector`, `explainer`, `mean`, `low` and `high` (the 95 % interval, over sources of tables), `rank`
        (the mean over sources) and `tied` (not significantly different from the best). An explainer without
        a value on some table and seed where another has one is not ranked; nor are the controls.

    Raises
    ------
    InputError
        If a column is missing or holds something else, or a value is there twice; or if there is no value.

    Examples
    --------
    >>> import pandas as pd
    >>> from xadbench.evaluation.results.ranking import rank
    >>> rows = [(table, name, value) for table in "ab" for name, value in (("mine", 0.25), ("theirs", 0.75))]
    >>> results = pd.DataFrame(rows, columns=["table", "explainer", "value"])
    >>> results = results.assign(detector="knn", seed=0, scope="detected", metric="adjusted_ndcg_m")
    >>> rank(results)[["explainer", "mean", "rank"]].to_numpy().tolist()
    [['theirs', 0.75, 1.0], ['mine', 0.25, 2.0]]
    """
    frame = as_frame(results)
    cells = frame.wide(frame.means(scope), [metric]).merge(frame.trials, on=IDENTITY)
    cells = cells[cells[metric].notna() & ~cells["explainer_name"].isin(REFERENCES)]
    if cells.empty:
        raise InputError(f"no value of {metric} in scope {scope}")
    sign = 1 if higher_is_better else -1
    parts = []
    for detector, of in cells.assign(value=sign * cells[metric]).groupby("detector", sort=False):
        grid, source = stats.common_grid(of, "explainer", "value").figures, stats.sources_of(of)
        best = BEST if metric == VALUE else np.inf
        ranked, _ = _ranked(grid, source, n_resamples, best)
        if not higher_is_better:
            ranked = ranked.assign(mean=-ranked["mean"], low=-ranked["high"], high=-ranked["low"])
        named = ranked.rename_axis("explainer").reset_index()
        named.insert(0, "detector", str(detector))
        parts.append(named)
    return pd.concat(parts, ignore_index=True)


def headline(all_boards: Sequence[Board], scope: str) -> list[Board]:
    """Return the boards of a scope over all tables and kinds, a detector each."""
    return [one for one in all_boards if one.scope == scope and one.d is None and one.kind is None]
