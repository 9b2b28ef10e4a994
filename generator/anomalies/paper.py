"""The paper's five kinds of anomalies: how affected cells are redrawn.

Values are published data, so they hold no NumPy sum, matrix product, logarithm or exponential.
Source: Vincent et al. 2025, section on synthetic data.
"""

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.generator.draws import BLOCK_ROWS

from .affected_features import Neighbours
from .base import CellKind, Source, Strength, number


class Cluster(CellKind):
    """The row is drawn again from the model with every parameter multiplied; it affects all features."""

    moves_margin: ClassVar[bool] = True
    joint: ClassVar[bool] = True
    kind: Literal["cluster"] = "cluster"
    strength: Strength = 3.0

    def draw_affected(
        self,
        n_features: int,
        rng: np.random.Generator,  # noqa: ARG002  # no choice
        neighbours: Neighbours | None = None,  # noqa: ARG002  # as above
    ) -> IntArray:
        """Return all features."""
        return np.arange(n_features)

    def values(
        self,
        cells: FloatArray,
        affected: IntArray,
        source: Source,
        rng: np.random.Generator,  # noqa: ARG002  # the model has its own stream
    ) -> FloatArray:
        """Return fresh rows of the multiplied model."""
        return source.redraw(number(self.strength), len(cells))[:, affected]


class Global(CellKind):
    """x_i ~ Uniform(strength·min_i, strength·max_i), independently per feature."""

    moves_margin: ClassVar[bool] = True
    kind: Literal["global"] = "global"
    strength: Strength = 1.025

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return values within the widened range of the data; extremes round nothing, so bits are stable."""
        data = source.population.rows[:, affected]
        strength = number(self.strength)
        low, high = strength * data.min(axis=0), strength * data.max(axis=0)
        scaled = (high - low) * rng.random(cells.shape)
        return np.asarray(low + scaled)


class Local(CellKind):
    """The affected features together ~ N(mean(X_M), strength·cov(X_M)), whatever the row's other features.

    Drawn as mean + sqrt(strength/(n-1))·Σ_k ε_k (x_k - mean) over all n rows with standard normal ε, which
    has exactly that distribution and needs neither a matrix product nor a factorisation. Of more than 8,192
    rows, that many or fewer at equal distances stand for all.

    Where the source is a Gaussian mixture under the published protocol, the row is instead one of the mixture
    with the variances of the affected features multiplied by the strength, at least 1, and their covariances
    as they are: the clean row plus independent noise of variance (strength - 1)·variance in its component.
    """

    min_affected: ClassVar[int] = 2
    joint: ClassVar[bool] = True
    kind: Literal["local"] = "local"
    strength: Strength = 1.05

    def apply(
        self, rows: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return `rows` (k, d) as anomalies: the same but for the affected columns."""
        if source.component_stds is None:
            return super().apply(rows, affected, source, rng)
        if (strength := number(self.strength)) < 1:
            raise InputError(f"local has strength {strength}; expected at least 1 under protocol published")
        changed = rows.copy()
        stds = math.sqrt(strength - 1) * source.component_stds(rows, rng)[:, affected]
        changed[:, affected] += stds * rng.standard_normal(stds.shape)
        return changed

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return draws from the widened normal distribution of the affected features."""
        data = source.population.rows[:, affected]
        data = data[:: math.ceil(len(data) / BLOCK_ROWS)]
        centre = source.population.moments[0][affected]
        weights = rng.standard_normal((len(data), len(cells)))
        # One by one from the first, unlike a sum, whose order is NumPy's; 0 + -0 is 0.
        parts = (np.add.accumulate(weights * own[:, None], axis=0)[-1] for own in (data - centre).T)
        total = 0.0 + np.stack(list(parts), axis=1)
        return centre + math.sqrt(number(self.strength) / (len(data) - 1)) * total


class Additive(CellKind):
    """x_i + strength·ε with ε ~ N(mean_in_std·s, std_in_std·s), independently per cell.

    s is the standard deviation over all values of the affected columns together.
    """

    moves_margin: ClassVar[bool] = True
    kind: Literal["additive"] = "additive"
    strength: Strength = 1.0
    mean_in_std: float = 3.0
    std_in_std: PositiveFloat = 1.0

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the shifted cells."""
        s = source.population.joint_std(affected)
        scaled = self.std_in_std * s * rng.standard_normal(cells.shape)
        shift = self.mean_in_std * s + scaled
        return cells + number(self.strength) * shift


class Multiplicative(CellKind):
    """x_i·(1 + strength·(ε - 1)) with ε ~ N(mean_in_std·s, std), independently per cell: x_i·ε at strength 1.

    s is the standard deviation over all values of the affected columns together.
    """

    moves_margin: ClassVar[bool] = True
    kind: Literal["multiplicative"] = "multiplicative"
    strength: Strength = 1.0
    mean_in_std: float = 0.5
    std: PositiveFloat = 0.3

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the multiplied cells."""
        s = source.population.joint_std(affected)
        scaled = self.std * rng.standard_normal(cells.shape)
        factor = self.mean_in_std * s + scaled
        strength = number(self.strength)
        # The paper's strength keeps the paper's bits: 1 + (ε - 1) rounds.
        return cells * (factor if strength == 1 else 1 + strength * (factor - 1))
