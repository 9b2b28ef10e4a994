"""Statistics of a leaderboard: means with intervals, ranks, and which entries cannot be told apart.

All take a *grid*, as `common_grid` makes it: a row a (table, seed), a column an entry, no gap. What is not
on the common grid is told apart and never averaged over.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError
from xadbench.datasets.streams import stream

LEVEL = 0.95
RESAMPLES = 10_000
TABLE, SEED = "table", "seed"

# Data sets of ADBench that hold rows of one source, which is one piece of evidence and not two.
OVERLAPPING: Mapping[str, str] = {
    "adbench:breastw": "Wisconsin breast cancer, original",
    "adbench:WBC": "Wisconsin breast cancer, original",
    "adbench:WDBC": "Wisconsin breast cancer, diagnostic",
    "bundled:breast_cancer": "Wisconsin breast cancer, diagnostic",
    "adbench:landsat": "Landsat",
    "adbench:satellite": "Landsat",
    "adbench:satimage-2": "Landsat",
    "adbench:cardio": "cardiotocography",
    "adbench:Cardiotocography": "cardiotocography",
    "adbench:http": "KDD Cup 1999",
    "adbench:smtp": "KDD Cup 1999",
    "adbench:annthyroid": "thyroid",
    "adbench:thyroid": "thyroid",
}


class Grid(NamedTuple):
    """`figures`: a row a (table, seed), a column an entry; `missing`: entries with the rows they lack."""

    figures: pd.DataFrame
    missing: dict[str, list[tuple[str, int]]]


def common_grid(trials: pd.DataFrame, entry: str, value: str) -> Grid:
    """Return the values of the entries that have one on every (table, seed) of the trials.

    Parameters
    ----------
    trials
        Columns `table`, `seed`, `entry` and `value`; at most one row each (table, seed, entry).
    entry, value
        Names of the columns that hold what is compared, and by what.

    Returns
    -------
    Grid
        An entry with gaps is in `missing` alone.

    Raises
    ------
    InputError
        If a (table, seed, entry) is there twice.
    """
    if trials.duplicated([TABLE, SEED, entry]).any():
        raise InputError(f"trials have a (table, seed, {entry}) twice")
    wide = trials.pivot_table(index=[TABLE, SEED], columns=entry, values=value, dropna=False, observed=True)
    # Rows where nobody has a value (a table whose culprits nobody knows) make no entry incomplete.
    wide = wide.dropna(how="all")
    gaps = wide.isna()
    missing = {str(name): list(wide.index[gaps[name]]) for name in wide.columns if gaps[name].any()}
    return Grid(wide.drop(columns=list(missing)), missing)


def resampled_means(
    grid: pd.DataFrame,
    *,
    groups: Mapping[str, str] = OVERLAPPING,
    n_resamples: int = RESAMPLES,
    random_state: int = 0,
) -> tuple[pd.Series, FloatArray]:
    """Return the entries' means, and those of resamples that draw sources, then seeds, with replacement.

    Rows of a table are not resampled as if they were independent: what varies from one study to the next is
    which data sets and seeds it takes.

    Parameters
    ----------
    grid
        As `common_grid` returns it, with at least one row.
    groups
        The source of a table, where it shares it with others; any other table is a source by itself.
    n_resamples
        How many.
    random_state
        Seed, at least 0.

    Returns
    -------
    Series
        By entry: mean over sources of the mean over their tables of the mean over seeds.
    (n_resamples, n_entries) float64
        The same of each resample.
    """
    if grid.empty:
        raise InputError("the grid is empty: no entry has a value on every table and seed")
    tables = {name: rows.to_numpy(dtype=float) for name, rows in grid.groupby(level=TABLE, sort=False)}
    sources: dict[str, list[FloatArray]] = {}
    for name, values in tables.items():
        sources.setdefault(groups.get(str(name), str(name)), []).append(values)
    own = np.mean([np.mean([v.mean(axis=0) for v in of], axis=0) for of in sources.values()], axis=0)
    rng = stream(random_state, "stats", "bootstrap")
    slots = [_one_source(list(sources.values()), n_resamples, rng) for _ in sources]
    return pd.Series(own, index=grid.columns), np.mean(slots, axis=0)


def _one_source(
    sources: Sequence[Sequence[FloatArray]], n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Return the means (n_resamples, n_entries) of one source drawn at random, its seeds drawn again."""
    chosen = rng.integers(len(sources), size=n_resamples)
    drawn = np.empty((n_resamples, sources[0][0].shape[1]))
    for i, source in enumerate(sources):
        here = np.flatnonzero(chosen == i)
        drawn[here] = np.mean([_resampled(values, len(here), rng) for values in source], axis=0)
    return drawn


def _resampled(values: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    n_seeds = len(values)
    counts = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n_resamples)
    means: FloatArray = counts @ values / n_seeds
    return means


def means(grid: pd.DataFrame, **options: object) -> pd.DataFrame:
    """Return columns `mean`, `low`, `high` (the 95 % percentile interval) and `rank`, by entry, best first.

    `rank` is the mean rank over the grid's rows, 1 = highest, ties at their mean. Options are those of
    `resampled_means`.
    """
    own, drawn = resampled_means(grid, **options)  # type: ignore[arg-type]  # passed on as given
    low, high = _interval(drawn)
    rank = grid.rank(axis=1, ascending=False).mean()
    table = pd.DataFrame({"mean": own, "low": low, "high": high, "rank": rank})
    return table.sort_values("mean", ascending=False, kind="stable")


def margins(grid: pd.DataFrame, entry: str, **options: object) -> pd.DataFrame:
    """Return columns `mean`, `low`, `high` of an entry's lead over each other one, the closest first.

    Pairs share tables and seeds in every resample. Options are those of `resampled_means`.
    """
    if entry not in grid.columns:
        raise InputError(f"{entry!r} has no value on every table and seed")
    own, drawn = resampled_means(grid, **options)  # type: ignore[arg-type]  # passed on as given
    low, high = _interval(drawn[:, grid.columns == entry] - drawn)
    table = pd.DataFrame({"mean": own[entry] - own, "low": low, "high": high}, index=grid.columns)
    return table.drop(index=entry).sort_values("mean", kind="stable")


def _interval(drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def pairwise(grid: pd.DataFrame) -> pd.DataFrame:
    """Return the Wilcoxon signed-rank p-values of all pairs of entries, adjusted by Holm's method.

    The tables are the observations, each the mean of its seeds. Equal pairs get 1.

    Returns
    -------
    DataFrame
        Square and symmetric, by entry; 1 on the diagonal. In [0, 1].

    Notes
    -----
    Source: Demšar 2006 (tests over data sets), Holm 1979.
    """
    from scipy.stats import wilcoxon  # noqa: PLC0415  # takes a while to import

    by_table = grid.groupby(level=TABLE, sort=False).mean()
    pairs = list(combinations(by_table.columns, 2))
    raw = [
        1.0 if by_table[a].equals(by_table[b]) else float(wilcoxon(by_table[a], by_table[b]).pvalue)
        for a, b in pairs
    ]
    table = pd.DataFrame(1.0, index=grid.columns, columns=grid.columns)
    for (a, b), p in zip(pairs, _holm(raw), strict=True):
        table.loc[a, b] = table.loc[b, a] = p
    return table


def _holm(p: Sequence[float]) -> FloatArray:
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def ties(p: pd.DataFrame, order: Sequence[str], level: float = 1 - LEVEL) -> list[list[str]]:
    """Return the groups of entries that cannot be told apart, as the bars of a critical-difference diagram.

    Parameters
    ----------
    p
        As `pairwise` returns it.
    order
        The entries by mean rank, the best first.
    level
        Adjusted p-values below it tell two entries apart.

    Returns
    -------
    list of lists
        Runs of `order`, of two or more, in which no pair differs; none is part of another.
    """
    runs: list[list[str]] = []
    end = 0
    for start in range(len(order)):
        stop = max(end, start + 1)
        while stop < len(order) and (p.loc[order[stop], list(order[start:stop])] >= level).all():
            stop += 1
        if stop > end and stop - start > 1:
            runs.append(list(order[start:stop]))
        end = max(end, stop)
    return runs
