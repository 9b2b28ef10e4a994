"""The features of real rows: which vary, in what units, and which hold integers or two values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.errors import InputError
from xadbench.generator import moments


def distinct(rows: FloatArray) -> FloatArray:
    """Return the rows (n, d) without repetitions, in the order in which they first come."""
    repeated: BoolArray = pd.DataFrame(rows).duplicated().to_numpy()
    return rows[~repeated]


@dataclass(frozen=True)
class Columns:
    """The m features that vary among normal rows.

    Parameters
    ----------
    varying : (m,) int
        Their positions among all features.
    mean, std : (m,) float64
        Their means and standard deviations.
    low, high : (m,) float64
        Their smallest and largest values.
    binary, integer : (m,) bool
        Those of two distinct values, whatever these are; of the others, those of integers alone.
    upper : (m,) int
        In how many rows they are at their largest value.
    """

    varying: IntArray
    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    binary: BoolArray
    integer: BoolArray
    upper: IntArray

    @classmethod
    def of(cls, rows: FloatArray, names: Sequence[str]) -> Self:
        """Measure the normal `rows` (n, d).

        Raises
        ------
        InputError
            If fewer than 2 features vary, or one is too large to standardise.
        """
        low, high = rows.min(axis=0), rows.max(axis=0)
        varying = np.flatnonzero(low != high)
        if len(varying) < 2:
            raise InputError(f"{len(varying)} features vary among the normal rows; expected at least 2")
        data, low, high = rows[:, varying], low[varying], high[varying]
        with np.errstate(over="ignore", invalid="ignore"):
            mean, std = moments.column_means(data), moments.column_stds(data)
        for column in varying[~np.isfinite(std)]:
            raise InputError(f"column {names[column]!r} is too large to standardise in float64")
        binary = ((data == low) | (data == high)).all(axis=0)
        integer = (data == np.rint(data)).all(axis=0) & ~binary
        upper = np.count_nonzero(data == high, axis=0)
        return cls(varying, mean, std, low, high, binary, integer, upper)

    def forward(self, values: FloatArray) -> FloatArray:
        """Return `values` (n, m) of the varying features in units of their standard deviations."""
        return (values - self.mean) / self.std

    def back(self, z: FloatArray, *, in_range: bool) -> FloatArray:
        """Return standardised values (n, m) in their features' own units and types.

        Integers are rounded half to even; with `in_range`, they are kept between the smallest and the largest
        normal value. Of two values it is the nearer one, the smaller in the middle.
        """
        scaled = self.std * z
        return self.typed(self.mean + scaled, in_range=in_range)

    def simulated(self, z: FloatArray) -> FloatArray:
        """Return standardised rows of a model (n, m), as many as were measured, as if they were normal rows.

        As `back` in range, but of two values each comes as often as among the normal rows: the larger in the
        rows of largest z. By nearness, a rare value would hardly come at all.
        """
        values = self.back(z, in_range=True)
        for column in np.flatnonzero(self.binary):
            ranked = np.argsort(-z[:, column], kind="stable")
            values[:, column] = self.low[column]
            values[ranked[: self.upper[column]], column] = self.high[column]
        return values

    def typed(self, values: FloatArray, *, in_range: bool) -> FloatArray:
        """Return values (n, m) in their features' own types; every step is exact or rounds once."""
        rounded = np.rint(values) + 0.0  # no negative zero
        if in_range:
            rounded = np.clip(rounded, self.low, self.high)
        nearer = np.where(values > 0.5 * self.low + 0.5 * self.high, self.high, self.low)
        return np.where(self.binary, nearer, np.where(self.integer, rounded, values))
