"""Spread anomalies over clean rows and keep the books: who is affected, and by what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.table import NORMAL, LabelledTable
from xadbench.generator.draws import permutation

from .registry import AnomalyKind, Donors, Population, Source

REDRAWS = 5  # of cells that a kind changed too little


class Streams(Protocol):
    """Gives the random stream of one purpose."""

    def __call__(self, *path: str) -> np.random.Generator:
        """Return the stream called `path`."""


@dataclass(frozen=True)
class Planted:
    """Rows with anomalies among them.

    Parameters
    ----------
    X : (n, d) float64
        The rows.
    kind : (n,) int8
        0 for normal rows, otherwise 1 + the index of the anomaly kind.
    affected : (n, d) bool
        The cells that were redrawn.
    efforts
        For each kind, in their order, what it took.
    """

    X: FloatArray
    kind: NDArray[np.int8]
    affected: BoolArray
    efforts: tuple["Effort", ...] = ()


@dataclass
class Effort:
    """How many cells of a kind were drawn again, and how many were stretched to the least change."""

    redrawn: int = 0
    stretched: int = 0


def count_anomalies(ratio: float, n_rows: int, n_kinds: int) -> int:
    """Return the number of anomalous rows, ratio·n rounded; raise InputError if it is less than `n_kinds`."""
    count = round(ratio * n_rows)
    if count < n_kinds:
        raise InputError(
            f"a ratio of {ratio} gives {count} anomalies in {n_rows} rows; "
            f"expected at least {n_kinds}, one for each kind"
        )
    if count >= n_rows:
        raise InputError(f"a ratio of {ratio} leaves no normal row of {n_rows}; expected a smaller one")
    return count


def assign(n_rows: int, count: int, n_kinds: int, rng: np.random.Generator) -> list[IntArray]:
    """Return the rows that each kind makes anomalous: `count` at random, split evenly.

    A remainder goes to the first kinds.
    """
    return np.array_split(permutation(n_rows, rng)[:count], n_kinds)


def plant(  # the source, what comes into it, and how
    source: Source,
    kinds: Sequence[AnomalyKind],
    shares: Sequence[IntArray],
    streams: Streams,
    block: int = 0,
    *,
    contaminated: bool = False,
) -> Planted:
    """Turn some of the source's rows into anomalies.

    Every kind has its own streams: another kind beside it leaves its affected features as they are.

    Parameters
    ----------
    source
        The rows; of a long table, one block of them. Of kinds that copy it has donors, see `Donors`.
    kinds, shares
        The kinds, and the rows (k,) that each of them changes.
    streams
        Gives their random streams.
    block
        Which block of a long table the rows are. Each has its own values; a kind with one affected set keeps
        it over all of them.
    contaminated
        Whether the statistics that a kind needs are of the rows with the anomalies of the kinds before it, as
        in the published tables, and not of the source's population.
    """
    X = source.rows.copy()
    labels = np.zeros(len(X), dtype=np.int8)
    touched = np.zeros(X.shape, dtype=np.bool_)
    efforts = tuple(Effort() for _ in kinds)
    later = (str(block),) if block else ()  # a table of one block has streams without a number
    for label, (kind, rows, effort) in enumerate(zip(kinds, shares, efforts, strict=True), 1):
        of_sets = later if kind.affected.per == "row" else ()
        sets, values = streams(kind.kind, "affected", *of_sets), streams(kind.kind, "values", *later)
        known = replace(source, population=Population(X.copy())) if contaminated else source
        own = _with_donors(known, kind, rows, streams(kind.kind, "donors", *later), block)
        least = kind.least_change * source.population.moments[1] if kind.least_change else 0.0
        planting = Planting(kind, own, values, least, effort)
        for alike in kind.affected.groups(rows):
            affected = kind.draw_affected(X.shape[1], sets, source.neighbours)
            touched[np.ix_(alike, affected)] = True
            X[alike] = planting.anomalies(alike, touched[alike])
        labels[rows] = label
    return Planted(X, labels, touched, efforts)


def _with_donors(
    source: Source, kind: AnomalyKind, rows: IntArray, rng: np.random.Generator, block: int
) -> Source:
    """Return the source with donors for a kind that copies: fresh rows of its network, two for each row."""
    if not kind.copies or not len(rows):
        return source
    assert source.network is not None  # noqa: S101  # of simulated rows
    purpose = f"donors-{kind.kind}-{block}"
    donors = Donors(source.network.simulate(2 * len(rows), source.seed, purpose=purpose))
    return replace(source, donors=donors if kind.joint else donors.shuffled(rng))


@dataclass(frozen=True, eq=False)
class Planting:
    """How one kind makes anomalies of rows.

    Parameters
    ----------
    kind, source, rng
        What it makes them of, and where its values come from.
    least : (d,) float64
        The least change of each feature, in its own unit; 0: that it differs.
    effort
        Counts the cells that were drawn again or stretched.
    """

    kind: AnomalyKind
    source: Source
    rng: np.random.Generator
    least: FloatArray | float
    effort: Effort

    def anomalies(self, rows: IntArray, affected: BoolArray) -> FloatArray:
        """Return rows (k,) as anomalies (k, d) whose `affected` cells (k, d) differ by the least change.

        Cells that do not are drawn again: alone, or all of their row where a kind's values belong together; a
        kind that copies has donors for one more draw. What is left then is stretched: moved on in its
        direction until it differs enough. A changed mechanism, which spreads, is left as it is.
        """
        kind, clean = self.kind, self.clean(rows)
        values = self.draw(rows, affected)
        for _ in range(1 if kind.copies else REDRAWS):
            small = affected & self.too_near(values, clean)
            pending = np.flatnonzero(small.any(axis=1))
            if not len(pending):
                return values
            self.effort.redrawn += int(small.sum())
            fresh = self.draw(rows[pending], affected[pending])
            values[pending] = fresh if kind.joint else np.where(small[pending], fresh, values[pending])
        small = affected & self.too_near(values, clean)
        if kind.spreads or not small.any():
            return values
        self.effort.stretched += int(small.sum())
        return np.where(small, self.stretched(values, clean), values)

    def clean(self, rows: IntArray) -> FloatArray:
        """Return the clean rows (k, d)."""
        return self.source.rows[rows]

    def draw(self, rows: IntArray, affected: BoolArray) -> FloatArray:
        """Return rows (k,) as anomalies (k, d), all with the same `affected` features (k, d)."""
        return self.kind.change(rows, np.flatnonzero(affected[0]), self.source, self.rng)

    def stretched(self, values: FloatArray, clean: FloatArray) -> FloatArray:
        """Return `clean` (k, d) moved in the direction of `values` by one to two times the least change."""
        by = self.least * (1.0 + self.rng.random(clean.shape))
        return np.where(values >= clean, clean + by, clean - by)

    def too_near(self, values: FloatArray, clean: FloatArray) -> BoolArray:
        """Return which values (k, d) differ from the clean ones by less than the least change."""
        return np.asarray((values == clean) | (np.abs(values - clean) < self.least))


def label(
    planted: Planted,
    clean: FloatArray,
    kinds: Sequence[AnomalyKind],
    provenance: Mapping[str, Any],
    feature_names: Sequence[str],
    *,
    first_row: int = 0,
) -> LabelledTable:
    """Return the table of the planted rows; its ground truth: the affected cells that differ from `clean`.

    `first_row` is the number of the first one, where they are a part of a longer table.

    Raises
    ------
    InputError
        If an anomalous row came out as it was.
    """
    mask = planted.affected & (planted.X != clean)
    names = (NORMAL, *(kind.kind for kind in kinds))
    same = np.flatnonzero((planted.kind != 0) & ~mask.any(axis=1))
    if len(same):
        raise InputError(
            f"row {first_row + same[0]} of kind {names[planted.kind[same[0]]]!r} came out as it was; "
            "expected features that vary enough to be changed, or a greater strength"
        )
    return LabelledTable(
        X=planted.X,
        y=planted.kind != 0,
        kind=planted.kind,
        kinds=names,
        mask=mask,
        clean=clean,
        feature_names=tuple(feature_names),
        provenance=provenance,
    )
