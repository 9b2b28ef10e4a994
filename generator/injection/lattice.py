"""How the numbers of a column are written: on a grid of equal steps, with few digits, in single precision."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray

MOST_DIGITS = 15  # a column whose values all have at most so many is written in decimals
FEW_DECIMALS, MANY_DECIMALS = 3, 6  # with more, larger values may have fewer; binary fractions stand out
LARGEST_WHOLE = 2.0**53
SAME = 1e-9  # of the range: values closer than that are one point, written differently
ON_GRID = 1e-3  # of a step: how far from a multiple a value may lie
PARTS = range(1, 13)  # of the smallest difference: which of them may be the step
MOST_POINTS = 1e8


@dataclass(frozen=True, eq=False)
class Lattice:
    """The points that the values of a column lie on, and how they are written.

    Parameters
    ----------
    step
        The distance of two points; 0 where there is no grid.
    decimals : (u,) int or None
        How many decimals each value seen has; None where one has more than 15 significant digits.
    orders : (u,) int or None
        The power of ten of each value seen, where larger values have fewer decimals.
    single
        Whether all values are numbers of single precision, and not short decimals.
    fractions : (u,) bool or None
        Which values seen are binary fractions like 0.375, in a column of long decimals: means of a few.
    """

    step: float = 0.0
    decimals: IntArray | None = None
    orders: IntArray | None = None
    single: bool = False
    fractions: BoolArray | None = None

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return the lattice of distinct values (u,), ascending, at least two."""
        if max(map(significant_digits, values.tolist())) > MOST_DIGITS:
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there
                single = bool(np.all(values == values.astype(np.float32)))
            return cls(_step(values), single=single)
        decimals = np.array(list(map(n_decimals, values.tolist())))
        orders = _orders(values)
        most = [decimals[orders == order].max() for order in np.unique(orders)]
        is_significant = len(most) > 1 and most[-1] < max(most) and max(decimals) > FEW_DECIMALS
        fractions = (values == values.astype(np.float32)) & (decimals > 0)
        return cls(
            _exact_step(values, int(decimals.max())),
            decimals,
            orders if is_significant else None,
            fractions=fractions if max(decimals) > MANY_DECIMALS else None,
        )

    def nearest(self, values: FloatArray, seen: FloatArray, alike: IntArray) -> FloatArray:
        """Return the nearest points to `values` (k,).

        `seen` are the nearest values of the column, on whose grid the points lie; `alike` the positions of
        values with as many decimals as the points are to have.
        """
        if self.step:
            values = seen + np.rint((values - seen) / self.step) * self.step
        if self.decimals is not None:
            decimals = self.decimals[alike]
            if self.orders is not None:
                decimals = (decimals + self.orders[alike] - _orders(values)).clip(0)
            parts = zip(values.tolist(), decimals.tolist(), strict=True)
            written = np.array([self._written(value, decimals) for value, decimals in parts])
            if self.fractions is None:
                return written
            unit = 2.0 ** -self.decimals[alike].astype(float)  # odd multiples of it have as many decimals
            return np.where(self.fractions[alike], (2 * np.floor(values / (2 * unit)) + 1) * unit, written)
        if self.single:
            return values.astype(np.float32).astype(np.float64)
        return values

    def _written(self, value: float, decimals: int) -> float:
        """Return the value with so many decimals, none of which is a zero at the end."""
        rounded = round(value, decimals)
        if n_decimals(rounded) == decimals:
            return rounded
        unit = max(self.step, 10.0**-decimals)
        return round(rounded + unit if value >= rounded else rounded - unit, decimals)


def _orders(values: FloatArray) -> IntArray:
    """Return the powers of ten of values (k,), 0 of 3.2 and of 0; by text, as logarithms differ."""
    return np.array([int(f"{value:.16e}".partition("e")[2]) for value in values.tolist()], dtype=np.int64)


def _exact_step(values: FloatArray, decimals: int) -> float:
    """Return the greatest common divisor of all differences of decimal values."""
    power = 10.0**decimals
    if float(np.abs(values).max()) * power >= LARGEST_WHOLE:
        return _step(values)
    whole = np.rint(values * power).astype(np.int64)
    return float(np.gcd.reduce(np.diff(whole))) / power


def _step(values: FloatArray) -> float:
    """Return the step of a grid that all values lie on except for rounding; 0 if there is none."""
    differences = np.diff(values)
    differences = differences[differences > SAME * (values[-1] - values[0])]
    if not len(differences):
        return 0.0
    offsets = values - values[0]
    for parts in PARTS:
        step = float(differences.min()) / parts
        if offsets[-1] > MOST_POINTS * step:
            return 0.0
        step = _refined(offsets, step)
        if np.abs(offsets / step - np.rint(offsets / step)).max() < ON_GRID:
            return step
    return 0.0


def _refined(offsets: FloatArray, step: float) -> float:
    """Return the step measured over ever longer distances, so that its rounding does not add up."""
    reach = step
    while reach < offsets[-1]:
        reach = min(100 * reach, offsets[-1])
        far = offsets[np.searchsorted(offsets, reach, side="right") - 1]
        step = float(far / np.rint(far / step)) if far > 0 else step
    return step


def significant_digits(value: float) -> int:
    """Return how many significant digits the shortest text has that gives this float; 0 for zero.

    Examples
    --------
    >>> significant_digits(0.250), significant_digits(1200.0), significant_digits(1 / 3)
    (2, 2, 16)
    """
    return len(repr(abs(float(value))).partition("e")[0].replace(".", "").strip("0"))


def n_decimals(value: float) -> int:
    """Return how many digits behind the decimal point the shortest text has that gives this float.

    Examples
    --------
    >>> n_decimals(0.250), n_decimals(1200.0), n_decimals(1e-5)
    (2, 0, 5)
    """
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    behind = mantissa.partition(".")[2].rstrip("0")
    return max(0, len(behind) - int(exponent or 0))
