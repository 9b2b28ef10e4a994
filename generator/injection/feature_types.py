"""The features of real rows: which vary, in what units, and which values they can take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.scale import is_constant
from xadbench.generator import moments

from .lattice import Lattice

FEW_LEVELS = 10  # a column of at most so many values takes no other value
UNSEEN, DENSE = 0.01, 0.5  # less than these shares of values seen once and of points occupied are codes
WINDOW = 5  # cells on each side
BOUND = 0.01  # an extreme that this share of the rows holds is a bound


def distinct(rows: FloatArray) -> FloatArray:
    """Return the rows (n, d) without repetitions, in the order in which they first come."""
    import pandas as pd  # noqa: PLC0415  # takes a third of a second, and releases are read without

    repeated: BoolArray = pd.DataFrame(rows).duplicated().to_numpy()
    return rows[~repeated]


@dataclass(frozen=True)
class Domain:
    """The values that a column can take, as its normal cells show them.

    On a grid most points of which occur, a new value is the nearest point if that occurs. Otherwise a new
    cell is made like a clean one near by: a random one of the cells that hold the nearest value seen, or
    are up to a hundredth of all away in order. If others share that cell's value, the new value is the
    nearest shared one; if none does, it is the nearest point, with as many decimals.

    Parameters
    ----------
    values : (u,) float64
        The distinct values, ascending.
    until : (u,) int
        How many cells hold that value or a smaller one.
    lattice
        How the column's numbers are written.
    closed
        Whether no value but those seen can occur: few levels, or codes.
    dense
        Whether the values lie on a grid most points of which occur.
    low, high
        What no value goes beyond: an extreme that many cells hold, 0 for a column of one sign, or infinite.
    """

    values: FloatArray
    until: IntArray
    lattice: Lattice
    closed: bool
    dense: bool
    low: float
    high: float

    @classmethod
    def of(cls, cells: FloatArray) -> Self:
        """Return the domain that cells (n,) of at least two different values show."""
        values, counts = np.unique(cells + 0.0, return_counts=True)
        lattice = Lattice.of(values)
        occupied = _occupied(values, counts, lattice.step)
        codes = lattice.step > 0 and occupied < DENSE and (counts == 1).sum() < UNSEEN * len(cells)
        closed = bool(len(values) <= FEW_LEVELS or codes)
        held = np.maximum(2, BOUND * len(cells))
        low = values[0] if closed or counts[0] >= held else (0.0 if values[0] >= 0 else -np.inf)
        high = values[-1] if closed or counts[-1] >= held else (0.0 if values[-1] <= 0 else np.inf)
        return cls(values, np.cumsum(counts), lattice, closed, occupied >= DENSE, float(low), float(high))

    def nearest(self, values: FloatArray, rng: np.random.Generator, *, in_range: bool) -> FloatArray:
        """Return the values of the domain for `values` (k,), folded back at its bounds.

        With `in_range`, the bounds are the smallest and the largest value seen.
        """
        low, high = (self.values[0], self.values[-1]) if in_range else (self.low, self.high)
        folded = fold(values, low, high)
        position = nearest(self.values, folded)
        if self.closed:
            return self.values[position]
        alike = self._alike(position, rng)
        shared = np.diff(self.until, prepend=0) > 1
        point = np.clip(self._point(folded, position, alike), low, high)
        inside = (folded >= self.values[0]) & (folded <= self.values[-1])
        occurs = self.dense & (np.abs(self.values[position] - folded) <= 0.5 * self.lattice.step)
        point = np.where(occurs, self.values[position], point)
        known = self.values[shared] if shared.any() else self.values
        return np.where(shared[alike] & inside & ~occurs, known[nearest(known, folded)], point) + 0.0

    def _point(self, values: FloatArray, position: IntArray, alike: IntArray) -> FloatArray:
        """Return points of the lattice near `values` (k,), written like the values at `alike`.

        But not like the extremes, which are short where a column was scaled to between 0 and 1.

        Where that would be a value seen, of which few occur, they have the most decimals of those next to it:
        a short one, like the 1.0 of a scaled column, would otherwise draw others to itself.
        """
        alike = alike.clip(1, len(self.values) - 2)
        point = self.lattice.nearest(values, self.values[position], alike)
        if self.dense or self.lattice.decimals is None:
            return point
        beside = (position[:, None] + np.arange(-2, 3)).clip(0, len(self.values) - 1)
        longest = beside[np.arange(len(values)), self.lattice.decimals[beside].argmax(axis=1)]
        occurs = self.values[nearest(self.values, point)] == point
        return np.where(occurs, self.lattice.nearest(values, self.values[position], longest), point)

    def _alike(self, position: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the positions of the values (k,) that random cells at or near some positions hold."""
        window = max(WINDOW, self.until[-1] // 100)
        first = np.where(position > 0, self.until[position - 1], 0) - window
        last = self.until[position] + window
        cell = first + np.floor(rng.random(len(position)) * (last - first)).astype(np.int64)
        return np.asarray(np.searchsorted(self.until, cell.clip(0, self.until[-1] - 1), side="right"))

    def away(
        self, values: FloatArray, cells: FloatArray, least: float, rng: np.random.Generator
    ) -> FloatArray:
        """Return values of the domain that differ from `cells` (k,) by `least` or more.

        The change that `values` (k,) make is stretched to up to twice that; where no value of the domain
        lies there, it is the nearest value seen that does, on the other side if need be, or else the one
        farthest away.
        """
        upwards = values >= cells
        by = least * (1.01 + rng.random(len(cells)))  # not all by the same
        target = np.where(upwards, cells + by, cells - by)
        stretched = self.nearest(target, rng, in_range=True)
        first = np.searchsorted(self.values, cells + least, side="left" if least else "right")
        last = np.searchsorted(self.values, cells - least, side="right" if least else "left") - 1
        above = np.where(first < len(self.values), self.values[first.clip(max=len(self.values) - 1)], np.nan)
        below = np.where(last >= 0, self.values[last.clip(min=0)], np.nan)
        seen = np.where(upwards, above, below)
        seen = np.where(np.isnan(seen), np.where(upwards, below, above), seen)
        low, high = self.values[0], self.values[-1]
        farthest = np.where(high - cells > cells - low, high, low)
        seen = np.where(np.isnan(seen), farthest, seen)
        fits = (np.abs(stretched - cells) >= least) & (stretched != cells)
        return np.where(fits, stretched, seen)


def nearest(known: FloatArray, values: FloatArray) -> IntArray:
    """Return the positions of the nearest known values, ascending (u,), to `values` (k,)."""
    right = np.searchsorted(known, values).clip(1, max(1, len(known) - 1))
    left = right - 1
    right = np.minimum(right, len(known) - 1)
    return np.where(values > 0.5 * known[left] + 0.5 * known[right], right, left)


def _occupied(values: FloatArray, counts: IntArray, step: float) -> float:
    """Return the share of the grid's points that values occupy, where nine tenths of the cells lie."""
    if not step:
        return 0.0
    share = np.cumsum(counts) / counts.sum()
    first, last = np.searchsorted(share, [0.05, 0.95])
    return float((last - first + 1) / (1 + (values[last] - values[first]) / step))


def fold(values: FloatArray, low: float, high: float) -> FloatArray:
    """Return values reflected at the bounds until they lie between them; a bound may be infinite."""
    if np.isfinite(low) and np.isfinite(high):
        width = high - low
        offset = np.mod(values - low, 2 * width)
        folded = low + np.where(offset > width, 2 * width - offset, offset)
        return np.where((values >= low) & (values <= high), values, np.clip(folded, low, high))
    folded = np.where(values < low, 2 * low - values, values) if np.isfinite(low) else values
    return np.where(folded > high, 2 * high - folded, folded) if np.isfinite(high) else folded


@dataclass(frozen=True)
class Columns:
    """The m features that vary among normal rows.

    Parameters
    ----------
    varying : (m,) int
        Their positions among all features.
    mean, std : (m,) float64
        Their means and standard deviations.
    domains
        The values that each can take.
    levels : (n, m) float64
        All their cells, each column ascending.
    """

    varying: IntArray
    mean: FloatArray
    std: FloatArray
    domains: tuple[Domain, ...]
    levels: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, names: Sequence[str]) -> Self:
        """Measure the normal `rows` (n, d).

        Raises
        ------
        InputError
            If fewer than 2 features vary, or one is too large to standardise.
        """
        varying = np.flatnonzero(~is_constant(rows))
        if len(varying) < 2:
            vary = f"column {names[varying[0]]!r} alone varies" if len(varying) else "no column varies"
            raise InputError(
                f"{vary} among the normal rows, so no cell can take another value; expected a table with at "
                "least 2 columns that vary"
            )
        data = rows[:, varying]
        with np.errstate(over="ignore", invalid="ignore"):
            mean, std = moments.column_means(data), moments.column_stds(data)
        for column in varying[~np.isfinite(std)]:
            raise InputError(f"column {names[column]!r} is too large to standardise in float64")
        domains = tuple(Domain.of(cells) for cells in data.T)
        return cls(varying, mean, std, domains, np.sort(data, axis=0))

    def forward(self, values: FloatArray) -> FloatArray:
        """Return `values` (n, m) of the varying features in units of their standard deviations."""
        return (values - self.mean) / self.std

    def back(self, z: FloatArray, rng: np.random.Generator, *, in_range: bool) -> FloatArray:
        """Return standardised values (n, m) in their features' own units, as values of their domains."""
        scaled = self.std * z
        return self.typed(self.mean + scaled, rng, in_range=in_range)

    def typed(self, values: FloatArray, rng: np.random.Generator, *, in_range: bool) -> FloatArray:
        """Return values (n, m) as values of the features' domains; every step is exact or rounds once."""
        parts = zip(self.domains, values.T, strict=True)
        return np.stack([domain.nearest(column, rng, in_range=in_range) for domain, column in parts], axis=1)

    def away(
        self, values: FloatArray, cells: FloatArray, least: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return values (n, m) that differ from `cells` (n, m) by `least` (m,) or more; see `Domain.away`."""
        parts = zip(self.domains, values.T, cells.T, least.tolist(), strict=True)
        moved = [domain.away(drawn, clean, by, rng) for domain, drawn, clean, by in parts]
        return np.stack(moved, axis=1)

    def simulated(self, z: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return standardised rows of a model (n, m), as many as were measured, as if they were normal rows.

        As `back` in range, but in a column of few levels each comes as often as among the normal rows, the
        larger ones in the rows of larger z. By nearness, a rare value would hardly come at all.
        """
        values = self.back(z, rng, in_range=True)
        for column, domain in enumerate(self.domains):
            if domain.closed:
                values[np.argsort(z[:, column], kind="stable"), column] = self.levels[:, column]
        return values
