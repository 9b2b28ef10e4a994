"""Spread anomalies over clean rows and keep the books: who is affected, and by what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.errors import InputError
from xadbench.datasets.table import NORMAL, LabelledTable
from xadbench.generator.anomalies import AnomalyKind, Source
from xadbench.generator.draws import permutation

REDRAWS = 20  # of rows that a kind left as they were


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
    """

    X: FloatArray
    kind: NDArray[np.int8]
    affected: BoolArray


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


def plant(
    source: Source, kinds: Sequence[AnomalyKind], shares: Sequence[IntArray], streams: Streams, block: int = 0
) -> Planted:
    """Turn some of the source's rows into anomalies.

    Every kind has its own streams: another kind beside it leaves its affected features as they are.

    Parameters
    ----------
    source
        The rows; of a long table, one block of them.
    kinds, shares
        The kinds, and the rows (k,) that each of them changes.
    streams
        Gives their random streams.
    block
        Which block of a long table the rows are. Each has its own values; a kind with one affected set keeps
        it over all of them.
    """
    X = source.rows.copy()
    labels = np.zeros(len(X), dtype=np.int8)
    touched = np.zeros(X.shape, dtype=np.bool_)
    later = (str(block),) if block else ()  # a table of one block has streams without a number
    for label, (kind, rows) in enumerate(zip(kinds, shares, strict=True), 1):
        of_sets = later if kind.affected.per == "row" else ()
        sets, values = streams(kind.kind, "affected", *of_sets), streams(kind.kind, "values", *later)
        for alike in kind.affected.groups(rows):
            affected = kind.draw_affected(X.shape[1], sets, source.neighbours)
            X[alike] = _changed(kind, alike, affected, source, values)
            touched[np.ix_(alike, affected)] = True
        labels[rows] = label
    return Planted(X, labels, touched)


def _changed(
    kind: AnomalyKind, rows: IntArray, affected: IntArray, source: Source, rng: np.random.Generator
) -> FloatArray:
    """Return the rows (k,) as anomalies, (k, d); those that come out as they were are drawn again."""
    changed = kind.change(rows, affected, source, rng)
    for _ in range(REDRAWS):
        same = (changed == source.rows[rows]).all(axis=1)
        if not same.any():
            break
        changed[same] = kind.change(rows[same], affected, source, rng)
    return changed


def label(
    planted: Planted,
    clean: FloatArray,
    kinds: Sequence[AnomalyKind],
    provenance: Mapping[str, Any],
    feature_names: Sequence[str],
    *,
    first_row: int = 0,
) -> LabelledTable:
    """Return the table of the planted rows; its culprits are the affected cells that differ from `clean`.

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
