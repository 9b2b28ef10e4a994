"""Statistics of a leaderboard: means with intervals, ranks, and which entries do not differ significantly.

All take a *grid*, as `common_grid` makes it: a row a (table, seed), a column an entry, no gap. What is not
on the common grid is named, and never averaged over.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.overlaps import declared_sources
from xadbench.evaluation.metrics.intervals import LEVEL, bootstrap_interval

RESAMPLES = 10_000
TABLE, SEED = "table", "seed"
Source = Callable[[str], str]

FAMILIES = ("20news", "agnews", "CIFAR10", "FashionMNIST", "MNIST-C", "MVTec-AD", "SVHN")  # one set a class
ABOUT_A_SET = re.compile(r"^(adbench:|bundled:)|( \+ anomalies|-rows)$")


def source_of(table: str) -> str:
    """Return the source of a table's rows by its title: the same for tables that share rows.

    Sets of one source are one piece of evidence and not two; `datasets/sources/overlaps.csv` declares them.

    Examples
    --------
    >>> from xadbench.evaluation.results.statistics import source_of
    >>> source_of("adbench:landsat + anomalies"), source_of("satellite"), source_of("my table")
    ('Landsat', 'Landsat', 'my table')
    """
    name = ABOUT_A_SET.sub("", table)
    family = name.partition("_")[0]
    return family if family in FAMILIES else declared_sources().get(name, name)


def sources_of(trials: pd.DataFrame) -> Source:
    """Return what tells the source of a table's rows where tables may go by names of their own.

    Parameters
    ----------
    trials
        Columns `table` and, where that is known, `origin`: the title that a table would have without a name.
    """
    known = trials.dropna(subset="origin") if "origin" in trials else trials.iloc[:0]
    origins = dict(zip(known[TABLE], known.get("origin", ()), strict=True))
    return lambda table: source_of(str(origins.get(table, table)))


class Grid(NamedTuple):
    """`figures`: a row a (table, seed), a column an entry; `missing`: entries with the rows they lack.

    `empty`: the (table, seed) on which no entry has a value.
    """

    figures: pd.DataFrame
    missing: dict[str, list[tuple[str, int]]]
    empty: list[tuple[str, int]]


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
    wide = trials.set_index([TABLE, SEED, entry])[value].unstack()  # noqa: PD010  # no aggregation
    # Rows where nobody has a value (a table whose ground truth nobody knows) make no entry incomplete.
    empty = wide.isna().all(axis=1)
    wide = wide[~empty]
    gaps = wide.isna()
    missing = {str(name): list(wide.index[gaps[name]]) for name in wide.columns if gaps[name].any()}
    return Grid(wide.drop(columns=list(missing)), missing, list(empty.index[empty]))


@one_thread()
def resampled_means(
    grid: pd.DataFrame,
    *,
    source: Source = source_of,
    n_resamples: int = RESAMPLES,
    random_state: int = 0,
) -> tuple[pd.DataFrame, FloatArray]:
    """Return the entries' means by source, and the means of resamples.

    These draw sources, then seeds, with replacement. Rows of a table are not resampled as if they were
    independent: what varies from one study to the next is which data sets and seeds it takes.

    Parameters
    ----------
    grid
        As `common_grid` returns it, with at least one row.
    source
        Function of a table's title: what its rows come from.
    n_resamples
        How many.
    random_state
        Seed, at least 0.

    Returns
    -------
    DataFrame
        As of `by_source`.
    (n_resamples, n_entries) float64
        The mean over sources of each resample.
    """
    if grid.empty:
        raise InputError("the grid is empty: no entry has a value on every table and seed")
    tables: dict[str, list[FloatArray]] = {}
    for name, rows in grid.groupby(level=TABLE, sort=False):
        tables.setdefault(source(str(name)), []).append(rows.to_numpy(dtype=float))
    rng = stream(random_state, "stats", "bootstrap")
    slots = [_one_source(list(tables.values()), n_resamples, rng) for _ in tables]
    return by_source(grid, source), np.mean(slots, axis=0)


def by_source(grid: pd.DataFrame, source: Source = source_of) -> pd.DataFrame:
    """Return the entries' means by source: over its tables, of the means over seeds."""
    by_table = grid.groupby(level=TABLE, sort=False).mean()
    # As an index: pandas would take a list of names for columns that have them.
    return by_table.groupby(by_table.index.map(lambda name: source(str(name))), sort=False).mean()


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


def means(grid: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return columns `mean`, `low`, `high` (the 95 % interval) and `rank`, by entry, best first.

    `mean` is over sources; `rank` the mean over sources of the rank on each, 1 = highest, ties at their mean.
    Options are those of `resampled_means`. With one source alone there is no interval: NaN.
    """
    own, drawn = resampled_means(grid, **options)
    low, high = bootstrap_interval(own.mean().to_numpy(), drawn, len(own))
    rank = own.rank(axis=1, ascending=False).mean()
    table = pd.DataFrame({"mean": own.mean(), "low": low, "high": high, "rank": rank})
    return table.sort_values("mean", ascending=False, kind="stable")


def margins(grid: pd.DataFrame, entry: str, **options: Any) -> pd.DataFrame:
    """Return columns `mean`, `low`, `high` of an entry's lead over each other one, the closest first.

    Pairs share tables and seeds in every resample. Options are those of `resampled_means`. With one source
    alone there is no interval: NaN.
    """
    if entry not in grid.columns:
        raise InputError(f"{entry!r} has no value on every table and seed")
    own, drawn = resampled_means(grid, **options)
    lead = own.mean()[entry] - own.mean()
    low, high = bootstrap_interval(lead.to_numpy(), drawn[:, grid.columns == entry] - drawn, len(own))
    table = pd.DataFrame({"mean": lead, "low": low, "high": high})
    return table.drop(index=entry).sort_values("mean", kind="stable")


def pairwise(grid: pd.DataFrame, source: Source = source_of) -> pd.DataFrame:
    """Return the Wilcoxon signed-rank p-values of all pairs of entries, adjusted by Holm's method.

    The sources are the observations, as of `by_source`. Equal pairs get 1.

    Returns
    -------
    DataFrame
        Square and symmetric, by entry; 1 on the diagonal. In [0, 1].

    Notes
    -----
    Source: Demšar 2006 (tests over data sets), Holm 1979.
    """
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415  # takes a while to import

    values = by_source(grid, source).to_numpy(dtype=float)
    first, second = np.triu_indices(values.shape[1], k=1)
    p = np.ones((values.shape[1], values.shape[1]))
    if len(first):
        raw = _signed_rank(values[:, first] - values[:, second])
        p[first, second] = p[second, first] = multipletests(raw, method="holm")[1]
    return pd.DataFrame(p, index=grid.columns, columns=grid.columns)


def _signed_rank(differences: FloatArray) -> FloatArray:
    """Return the p-value of each column (n_sources, n_pairs); 1 where all are 0."""
    from scipy.stats import wilcoxon  # noqa: PLC0415  # takes a while to import

    size = np.sort(np.abs(differences), axis=0)
    # Zeros and ties are another test than the exact one, which takes all columns at once.
    is_plain = (size[0] > 0) & (np.diff(size, axis=0) > 0).all(axis=0)
    p = np.ones(differences.shape[1])
    if is_plain.any():
        p[is_plain] = wilcoxon(differences[:, is_plain], axis=0).pvalue
    for i in np.flatnonzero(~is_plain & (size[-1] > 0)):
        p[i] = wilcoxon(differences[:, i]).pvalue
    return p


def ties(p: pd.DataFrame, order: Sequence[str], level: float = 1 - LEVEL) -> list[list[str]]:
    """Return the groups of entries without a significant difference: the bars of a critical-difference plot.

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
