"""How likely new values are under each kind that changes the affected cells and nothing else.

What a kind makes of a row depends on the clean values of the affected cells, which are not seen. So every
density here is given the clean values; `set_likelihood` integrates over them.

Arrays: n rows or pairs of a row and a set, k points of the integration, sets of m features.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.generator.anomalies.base import number
from xadbench.generator.anomalies.insertion import REDRAWS
from xadbench.generator.anomalies.registry import AnomalyKind, Population

from .linear_gaussian import block, log_normal, log_normals, times

SMALLEST = 1e-300


@dataclass(frozen=True, eq=False)
class Floor:
    """The least change, and how often a cell that changed by less is drawn again.

    Parameters
    ----------
    least : (d,) float64
        The least change of each feature, in its own unit.
    redraws
        How often.
    """

    least: FloatArray
    redraws: int

    @classmethod
    def of(cls, kind: AnomalyKind, std: FloatArray) -> "Floor":
        """Return the floor of a kind where the clean rows' standard deviations are `std` (d,)."""
        return cls(kind.least_change * std, 1 if kind.copies else REDRAWS)

    def log_factor(self, change: FloatArray, near: FloatArray, sets: IntArray) -> FloatArray:
        """Return the log of what redraws and stretching make of the density of values that belong together.

        With R the probability that some cell is too near, n redraws: the density of values that are far
        enough is multiplied by 1 + R + ... + R^n. With probability R^(n+1) the cells that are too near are
        stretched to one to two times the least change; their density there is taken as that of the values.

        Parameters
        ----------
        change : (n, k, m) float64
            By how much the values differ from the clean ones.
        near : (n, k, m) float64
            The probability of each cell to be too near.
        sets : (n, 1, m) int
            The features.
        """
        if not self.least.any():
            return np.zeros(np.broadcast_shapes(change.shape, near.shape)[:-1])
        size, least = np.abs(change), self.least[sets]
        far = (size >= least).all(axis=-1)
        stretched = np.where((size <= 2 * least) & (least > 0), 2.0, 1.0).prod(axis=-1) - 1
        any_near = 1 - (1 - near).prod(axis=-1)
        drawn = sum(any_near**j for j in range(self.redraws + 1))
        return np.asarray(np.log(np.maximum(far * (drawn + any_near**self.redraws * stretched), SMALLEST)))


class NewValues:
    """What a kind puts into affected cells; subclasses say how."""

    floor: Floor
    overwrites: ClassVar[bool] = True  # the new values do not depend on the clean ones

    @abstractmethod
    def log_density(self, values: FloatArray, clean: FloatArray, sets: IntArray) -> FloatArray:
        """Return the log-density (n, k) of values (n, 1, m) given clean ones (n, k, m), floor included."""

    @abstractmethod
    def screen(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> FloatArray:
        """Return about the log-density (n, s) of values (n, s, m), without the floor.

        Given that the clean values are normal with this mean (n, s, m) and covariance (..., s, m, m).
        """

    def clean_given_new(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return about the mean (n, m) and covariance (n, m, m) of the clean values given the new ones."""
        del values, sets
        return mean, covariance


@dataclass(frozen=True, eq=False)
class CellByCell(NewValues):
    """v ~ N(shift + slope·c, (std + spread·abs(c))²) of the clean value c, each cell by itself.

    `dependency` has slope 0, `additive` slope 1, `multiplicative` a spread. `parameters` gives the four for
    sets (..., m), each of shape (..., m) or (..., 1).
    """

    floor: Floor
    kind: AnomalyKind
    population: Population
    margins: tuple[FloatArray, FloatArray]

    @property
    def overwrites(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.kind.kind == "dependency"

    def parameters(self, sets: IntArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return shift, slope, std and spread."""
        kind, zero = self.kind, np.zeros(())
        if self.overwrites:
            return self.margins[0][sets], zero, self.margins[1][sets], zero
        scale, strength = self._joint_std(sets), number(kind.strength)  # type: ignore[attr-defined]
        if kind.kind == "additive":
            shift = strength * kind.mean_in_std * scale  # type: ignore[attr-defined]
            return shift, zero + 1, strength * kind.std_in_std * scale, zero  # type: ignore[attr-defined]
        slope = 1 + strength * (kind.mean_in_std * scale - 1)  # type: ignore[attr-defined]
        return zero, slope, zero, zero + strength * kind.std  # type: ignore[attr-defined]

    def _joint_std(self, sets: IntArray) -> FloatArray:
        """Return the standard deviation over all values of each set's features, (..., 1)."""
        mean, std = (own[sets] for own in self.population.moments)
        variance = (std**2 + (mean - mean.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True)
        return np.asarray(np.sqrt(variance))

    def log_density(self, values: FloatArray, clean: FloatArray, sets: IntArray) -> FloatArray:
        """As `NewValues.log_density`: 1 + r + ... + r^n times the normal, or what is stretched."""
        shift, slope, std, spread = self.parameters(sets)
        centre, width = shift + slope * clean, np.maximum(std + spread * np.abs(clean), SMALLEST)
        least, change = self.floor.least[sets], values - clean
        density = np.exp(log_normals(values, centre, width))
        if (least == 0).all():
            return np.asarray(np.log(np.maximum(density, SMALLEST)).sum(axis=-1))
        below, at, above = (ndtr((clean + by - centre) / width) for by in (-least, 0.0, least))
        near = above - below
        drawn = density * sum(near**j for j in range(self.floor.redraws + 1)) * (np.abs(change) >= least)
        one_side = np.where(change > 0, above - at, at - below)
        in_ring = (np.abs(change) >= least) & (np.abs(change) <= 2 * least)
        stretched = near**self.floor.redraws * one_side * in_ring / np.maximum(least, SMALLEST)
        return np.asarray(np.log(np.maximum(drawn + stretched, SMALLEST)).sum(axis=-1))

    def screen(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> FloatArray:
        """As `NewValues.screen`; of `multiplicative` cell by cell."""
        shift, slope, std, spread = self.parameters(sets)
        own = np.diagonal(covariance, axis1=-2, axis2=-1)
        deviation = values - shift - slope * mean
        if self.kind.kind == "additive":
            noise = np.broadcast_to(std**2, own.shape)
            return log_normal(deviation, covariance + noise[..., None] * np.eye(own.shape[-1]))
        width = np.sqrt(std**2 + slope**2 * own + spread**2 * (mean**2 + own))
        return np.asarray(log_normals(deviation, np.zeros(()), width).sum(axis=-1))

    def clean_given_new(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """As `NewValues.clean_given_new`: the spread is that of the expected clean value."""
        if self.overwrites:
            return mean, covariance
        shift, slope, std, spread = self.parameters(sets)
        own = np.diagonal(covariance, axis1=-2, axis2=-1)
        noise = std**2 + spread**2 * (mean**2 + own) + (self.floor.least[sets] / 2) ** 2 * (spread > 0)
        slope = np.broadcast_to(slope, mean.shape)
        both = slope[..., :, None] * covariance * slope[..., None, :]
        both = both + noise[..., None] * np.eye(mean.shape[-1])
        gain = np.swapaxes(np.linalg.solve(both, slope[..., :, None] * covariance), -1, -2)
        centre = mean + times(gain, values - shift - slope * mean)
        return centre, covariance - gain @ (slope[..., :, None] * covariance)


@dataclass(frozen=True, eq=False)
class InRange(NewValues):
    """Uniform on a range of each feature, whatever the clean value: `global`."""

    floor: Floor
    low: FloatArray
    high: FloatArray

    def log_density(self, values: FloatArray, clean: FloatArray, sets: IntArray) -> FloatArray:
        """As `NewValues.log_density`."""
        near = np.minimum(2 * self.floor.least / (self.high - self.low), 1.0)[sets]
        near = np.broadcast_to(near, clean.shape)
        return self._log_uniform(values, sets) + self.floor.log_factor(values - clean, near, sets)

    def screen(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> FloatArray:
        """As `NewValues.screen`."""
        del mean, covariance
        return self._log_uniform(values, sets)

    def _log_uniform(self, values: FloatArray, sets: IntArray) -> FloatArray:
        low, high = self.low[sets], self.high[sets]
        inside = (values >= low) & (values <= high)
        return np.asarray(np.where(inside, -np.log(high - low), -np.inf).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Together(NewValues):
    """Values of a joint normal distribution, whatever the clean ones: `swap` and `local`."""

    floor: Floor
    mean: FloatArray
    covariance: FloatArray

    def log_density(self, values: FloatArray, clean: FloatArray, sets: IntArray) -> FloatArray:
        """As `NewValues.log_density`."""
        std, least = np.sqrt(np.diag(self.covariance))[sets], self.floor.least[sets]
        near = 2 * least * np.exp(log_normals(clean, self.mean[sets], std))
        factor = self.floor.log_factor(values - clean, np.minimum(near, 1.0), sets)
        return self._log_joint(values, sets) + factor

    def screen(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> FloatArray:
        """As `NewValues.screen`."""
        del mean, covariance
        return self._log_joint(values, sets)

    def _log_joint(self, values: FloatArray, sets: IntArray) -> FloatArray:
        return log_normal(values - self.mean[sets], block(self.covariance, sets))
