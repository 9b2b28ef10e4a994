"""Anomalies as a leak control sees them, and draws of the null: their ground truth elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.scale import Scale
from xadbench.generator.injection.feature_types import FEW_LEVELS, nearest
from xadbench.generator.injection.lattice import MOST_DIGITS

from .written_cells import Reference, Written

MOST_ROWS, LEAST_ROWS, MOST_CELLS = 10_000, 1000, 5_000_000  # clean cells that stand for all
WINDOW = 10  # clean cells on each side of a value that are written as it could be,
NEAR = 0.05  # if they are within so many standard deviations
NEXT = 3  # values put in on each side of a clean value that none of them took the place of


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Anomalous rows (r,) of a table of which only some features are ground truth, or a null draw of them.

    `X`, `mask`: (r, d). `written`: how their cells are written; `reference`: how cells of the table are.
    `mean`, `std`: of the table's columns.
    """

    rows: IntArray
    kind: IntArray
    X: FloatArray
    mask: BoolArray
    written: Written
    reference: Reference
    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, table: LabelledTable) -> "Anomalies":
        """Return the anomalies of a table with a mask that can tell an explainer from chance."""
        mask: BoolArray = table.mask  # type: ignore[assignment]  # the caller saw to it
        rows = np.flatnonzero(table.y & ~mask.all(axis=1))
        scale = Scale.of(table.X)
        return cls(
            rows,
            table.kind[rows].astype(np.int64),
            table.X[rows],
            mask[rows],
            Written.of(table.X, rows),
            Reference(Written.of(table.X, _spread(table))),
            scale.middle,
            scale.deviation,
        )


def _spread(table: LabelledTable) -> IntArray:
    """Return the numbers of rows at equal distances: 10,000 at most, fewer of a table of many columns."""
    most = min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // table.n_features))
    return np.arange(0, table.n_rows, -(-table.n_rows // most))


@dataclass(frozen=True, eq=False)
class Natural:
    """What the null draws from: the anomalies, and clean cells.

    `clean`: the clean rows of the anomalies (r, d), `written` as they are. `cells`: clean cells (n, d),
    each column ascending, `of_cells` as they are written, `reference` to compare with. `few`: columns (d,)
    of few values. `put_in`: by kind and column, the values put in.
    """

    found: Anomalies
    clean: FloatArray
    written: Written
    cells: FloatArray
    of_cells: Written
    reference: Reference
    varies: BoolArray
    few: BoolArray
    put_in: Mapping[int, list["Pool"]]

    @classmethod
    def of(cls, table: LabelledTable, found: Anomalies) -> "Natural":
        """Return what the null of the anomalies found in a table, with a clean twin, draws from."""
        clean: FloatArray = table.clean  # type: ignore[assignment]  # the caller saw to it
        chosen = _spread(table)
        written = Written.of(clean, chosen)
        order = np.argsort(clean[chosen], axis=0, kind="stable")
        of_cells = written.ordered(order)
        cells = np.take_along_axis(clean[chosen], order, axis=0)
        own = clean[found.rows]
        put_in = {
            int(kind): [
                Pool.of(found.X[put, j], own[put, j], cells[:, j])
                for j, put in enumerate((found.mask & (found.kind == kind)[:, None]).T)
            ]
            for kind in np.unique(found.kind)
        }
        varies = clean.min(axis=0) != clean.max(axis=0)
        few = np.array([len(np.unique(column)) <= FEW_LEVELS for column in clean.T])
        written = Written.of(clean, found.rows)
        return cls(found, own, written, cells, of_cells, Reference(of_cells), varies, few, put_in)

    def draw(self, rng: np.random.Generator) -> Anomalies:
        """Return the anomalies with their ground truth elsewhere, and values written as clean cells are."""
        found = self.found
        order = np.where(self.varies, rng.random(self.clean.shape), 2.0)
        ranks = np.argsort(np.argsort(order, axis=1), axis=1)
        mask = (ranks < found.mask.sum(axis=1, keepdims=True)) & (order < 2)
        X, written = self.clean.copy(), self.written.copy()
        for j in np.flatnonzero(mask.any(axis=0)):
            for kind, pools in self.put_in.items():
                own = mask[:, j] & (found.kind == kind)
                X[own, j] = pools[j].values_for(self.clean[own, j], rng)
            own = mask[:, j]
            cells = self._alike(X[own, j], int(j), rng)
            for part, natural in zip(written, self.of_cells, strict=True):
                part[own, j] = natural[cells, j]
            written.digits[own, j] = _with_decimals(written.digits[own, j], self.cells[cells, j], X[own, j])
            if self.few[j]:  # one more of a level that is there
                written.n_equal[own, j] += 1
        return replace(found, X=X, mask=mask, written=written, reference=self.reference)

    def _alike(self, values: FloatArray, j: int, rng: np.random.Generator) -> IntArray:
        """Return for each value (k,) one of the column's clean cells that hold it or are next to it.

        Only those near by in value count; for a value beyond the range, the outer tenth of all do.
        """
        cells = self.cells[:, j]
        outside = (values < cells[0]) | (values > cells[-1])
        window = np.where(outside, len(cells) // 10, WINDOW)
        first = np.searchsorted(cells, values, "left") - window
        last = np.searchsorted(cells, values, "right") + window
        picked = first + np.floor(rng.random(len(values)) * (last - first)).astype(np.int64)
        picked = picked.clip(0, len(cells) - 1)
        near = np.abs(cells[picked] - values) <= NEAR * self.found.std[j]
        return np.where(near | outside, picked, nearest(cells, values))


def _with_decimals(digits: IntArray, cells: FloatArray, values: FloatArray) -> IntArray:
    """Return how many digits values (k,) have with as many decimals as cells of so many digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.floor(np.log10(np.abs(values))) - np.floor(np.log10(np.abs(cells)))
    is_short = (digits <= MOST_DIGITS) & np.isfinite(larger)
    return np.where(is_short, digits + np.where(is_short, larger, 0), digits).astype(np.int64)


class Pool(NamedTuple):
    """The values that a kind put into a column, by the clean ones that they took the place of, ascending."""

    clean: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, X: FloatArray, clean: FloatArray, cells: FloatArray) -> "Pool":
        """Return the pool of a column (k,); where nothing was put in, clean cells stand for both."""
        if not len(X):
            return cls(cells, cells[::-1])
        order = np.argsort(clean, kind="stable")
        return cls(clean[order], X[order])

    def values_for(self, clean: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return values (k,) in place of `clean` ones: what took the place of that, or of one next to it."""
        first, last = np.searchsorted(self.clean, clean, "left"), np.searchsorted(self.clean, clean, "right")
        none = first == last
        first, last = np.where(none, first - NEXT, first), np.where(none, last + NEXT, last)
        picked = first + np.floor(rng.random(len(clean)) * (last - first)).astype(np.int64)
        return np.asarray(self.values[picked.clip(0, len(self.values) - 1)])
