"""What is constant, and what the scale of a column is: one answer for everything that standardises.

Columns come in any unit. Values are divided by a power of two and centred at one of them before they are
summed or squared, so that nothing overflows, vanishes or drowns in a large offset.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .common.arrays import BoolArray, FloatArray, IntArray

NORMAL_MAD = 1.4826  # what makes a median absolute deviation a normal's standard deviation
NORMAL_MEAN_AD = 1.2533  # the same for a mean absolute deviation
DEPARTURE = 1e150  # deviations of a value that departs from a constant column: beyond others, and squarable


def is_constant(rows: FloatArray) -> BoolArray:
    """Return which columns of rows (n, d) hold one value only, (d,) bool."""
    result: BoolArray = rows.min(axis=0) == rows.max(axis=0)
    return result


@dataclass(frozen=True)
class Scale:
    """The map of columns to deviations from their centre: `((x / size - origin) / width - centre) / spread`.

    Sizes and widths are powers of two, so that they round nothing. `of` measures them.

    Attributes
    ----------
    size, width : (d,) int64
        The exponents of two: of the largest value, and of the largest distance from the origin.
    origin, centre, spread : (d,) float64
        A value of the column; its mean and standard deviation, or median and robust deviation, of what is
        left. The spread of a constant column is 1, its centre 0.
    constant : (d,) bool
        Which columns held one value only.
    """

    size: IntArray
    origin: FloatArray
    width: IntArray
    centre: FloatArray
    spread: FloatArray
    constant: BoolArray

    @classmethod
    def of(cls, rows: FloatArray, *, robust: bool = False) -> Self:
        """Measure rows (n, d), n at least 1.

        Parameters
        ----------
        rows
            Finite numbers.
        robust
            Whether the centre is the median, and the spread 1.4826 MAD; where more than half of the values
            are equal and the MAD therefore 0, 1.2533 times the mean absolute deviation (Iglewicz & Hoaglin
            1993). Otherwise mean and standard deviation (divisor n).
        """
        constant = is_constant(rows)
        size = _exponent(np.abs(rows).max(axis=0))
        origin = np.ldexp(rows[0], -size)
        width = _exponent(np.abs(np.ldexp(rows, -size) - origin).max(axis=0))
        left = np.ldexp(np.ldexp(rows, -size) - origin, -width)
        centre, spread = (_robust if robust else _moments)(left)
        return cls(
            size,
            origin,
            width,
            np.where(constant, 0.0, centre),
            np.where(constant | (spread == 0), 1.0, spread),
            constant,
        )

    def forward(self, X: FloatArray) -> FloatArray:
        """Return rows (n, d) in deviations from the centre; of a constant one, distances from its value."""
        result: FloatArray = (self._left(X) - self.centre) / self.spread
        return np.where(self.constant, X - self.middle, result) if self.constant.any() else result

    def departures(self, X: FloatArray) -> FloatArray:
        """Return `forward`, with any distance from a constant column's value as DEPARTURE deviations."""
        far = np.copysign(DEPARTURE, X - self.middle)
        return np.where(self.constant, np.where(self.middle == X, 0.0, far), self.forward(X))

    @property
    def middle(self) -> FloatArray:
        """The centres (d,) in the columns' own units; a constant column's value."""
        middle = np.ldexp(self.origin + np.ldexp(self.centre, self.width), self.size)
        return np.asarray(middle, dtype=np.float64)

    @property
    def deviation(self) -> FloatArray:
        """The spreads (d,) in the columns' own units; 1 for a constant column."""
        return np.where(self.constant, 1.0, np.ldexp(self.spread, self.width + self.size))

    def _left(self, X: FloatArray) -> FloatArray:
        left: FloatArray = np.ldexp(np.ldexp(X, -self.size) - self.origin, -self.width)
        return left


def _exponent(largest: FloatArray) -> IntArray:
    return np.where(largest > 0, np.frexp(largest)[1], 0).astype(np.int64)


def _moments(left: FloatArray) -> tuple[FloatArray, FloatArray]:
    centre = left.mean(axis=0)
    deviations = left - centre
    correction = deviations.mean(axis=0)  # what the mean rounded
    return centre + correction, np.sqrt(np.square(deviations - correction).mean(axis=0))


def _robust(left: FloatArray) -> tuple[FloatArray, FloatArray]:
    centre = np.median(left, axis=0)
    deviations = np.abs(left - centre)
    mad = NORMAL_MAD * np.median(deviations, axis=0)
    return centre, np.where(mad > 0, mad, NORMAL_MEAN_AD * deviations.mean(axis=0))
