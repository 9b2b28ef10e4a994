"""How the cells of a table are written, and how rare in its column it is to be written so."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.generator.injection.lattice import significant_digits


class Written(NamedTuple):
    """How cells are written, each (n, d): occurrences in the column, digits, single precision, minus zero."""

    n_equal: IntArray
    digits: IntArray
    single: BoolArray
    minus_zero: BoolArray

    @classmethod
    def of(cls, X: FloatArray, rows: IntArray) -> "Written":
        """Return how the cells of these rows are written, in a table `X` of which they are a part."""
        n_equal, digits = np.empty((2, len(rows), X.shape[1]), dtype=np.int64)
        for j, column in enumerate(X.T):
            values, counts = np.unique(column, return_counts=True)
            n_equal[:, j] = counts[np.searchsorted(values, column[rows])]
            own, back = np.unique(column[rows], return_inverse=True)
            digits[:, j] = np.array([significant_digits(value) for value in own.tolist()])[back]
        cells = X[rows]
        with np.errstate(over="ignore"):
            single = cells == cells.astype(np.float32)
        return cls(n_equal, digits, single, np.signbit(cells) & (cells == 0))

    def ordered(self, order: IntArray) -> "Written":
        """Return the cells of each column in that order (n, d)."""
        return Written._make(np.take_along_axis(part, order, axis=0) for part in self)

    def copy(self) -> "Written":
        """Return a copy, to write to."""
        return Written._make(part.copy() for part in self)

    def parts(self) -> Iterator[tuple[str, IntArray]]:
        """Yield each control and what is the higher, the more it holds, (n, d); behind it the inverse."""
        held = {
            "rarity": -self.n_equal,
            "repetition": (self.n_equal > 1).astype(np.int64),
            "digits": self.digits,
            "single_precision": self.single.astype(np.int64),
            "minus_zero": self.minus_zero.astype(np.int64),
        }
        for name, part in held.items():
            yield name, part
            yield f"inverse {name}", -part


class Reference:
    """How the cells of a table's columns are written, to compare others with.

    Parameters
    ----------
    cells
        Some or all of them.
    """

    def __init__(self, cells: Written) -> None:
        self._ordered = {name: np.sort(part, axis=0) for name, part in cells.parts()}

    def attributions(self, written: Written) -> dict[str, FloatArray]:
        """Return for each control -log of the share of a column's cells that hold it as much, (r, d)."""
        return {name: self._surprise(name, part) for name, part in written.parts()}

    def _surprise(self, name: str, values: IntArray) -> FloatArray:
        ordered = self._ordered[name]
        columns = zip(ordered.T, values.T, strict=True)
        below = np.stack([np.searchsorted(column, own) for column, own in columns], axis=1)
        return np.asarray(-np.log((len(ordered) - below + 1.0) / (len(ordered) + 1.0)))
