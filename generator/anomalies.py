"""The kinds of anomalies: how affected cells are redrawn.

Values are published data, so they hold no NumPy sum, matrix product, logarithm or exponential.
Source of the five kinds: Vincent et al. 2025, section on synthetic data.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, PositiveFloat

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.errors import InputError, unknown
from xadbench.generator import moments
from xadbench.generator.draws import integer, subset


@dataclass(frozen=True)
class Source:
    """What the rows come from.

    Parameters
    ----------
    rows : (n, d) float64
        All clean rows, at least 2.
    redraw
        `redraw(strength, n)` gives n fresh rows, (n, d), from the model of the rows with every parameter
        multiplied by `strength`.
    """

    rows: FloatArray
    redraw: Callable[[float, int], FloatArray]


class AnomalyKind(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A way to make normal rows anomalous; subclasses are the kinds."""

    min_affected: ClassVar[int] = 1
    kind: str

    def draw_affected(self, n_features: int, rng: np.random.Generator) -> IntArray:
        """Return the features that the kind affects in one data set: distinct, ascending, (m,).

        m is uniform from the kind's least number up to d//2 - 1, with at least two choices where d allows.
        """
        largest = max(n_features // 2 - 1, self.min_affected + 1)
        size = integer(self.min_affected, min(largest, n_features), rng)
        return subset(n_features, size, rng)

    def apply(
        self, rows: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return `rows` (k, d) as anomalies: the same but for the affected columns."""
        changed = rows.copy()
        changed[:, affected] = self.values(rows[:, affected], affected, source, rng)
        return changed

    @abstractmethod
    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return new values for the affected `cells`, (k, m)."""


class Cluster(AnomalyKind):
    """The row is drawn again from the model with every parameter multiplied; it affects all features."""

    kind: Literal["cluster"] = "cluster"
    strength: PositiveFloat = 3.0

    def draw_affected(self, n_features: int, rng: np.random.Generator) -> IntArray:  # noqa: ARG002  # no choice
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
        return source.redraw(self.strength, len(cells))[:, affected]


class Global(AnomalyKind):
    """x_i ~ Uniform(strength·min_i, strength·max_i), independently per feature."""

    kind: Literal["global"] = "global"
    strength: PositiveFloat = 1.025

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return values within the widened range of the data; extremes round nothing, so bits are stable."""
        data = source.rows[:, affected]
        low, high = self.strength * data.min(axis=0), self.strength * data.max(axis=0)
        scaled = (high - low) * rng.random(cells.shape)
        return np.asarray(low + scaled)


class Local(AnomalyKind):
    """The affected features together ~ N(mean(X_M), strength·cov(X_M)), whatever the row's other features.

    Drawn as mean + sqrt(strength/(n-1))·Σ_k ε_k (x_k - mean) over all n rows with standard normal ε, which
    has exactly that distribution and needs neither a matrix product nor a factorisation.
    """

    min_affected: ClassVar[int] = 2
    kind: Literal["local"] = "local"
    strength: PositiveFloat = 1.05

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return draws from the widened normal distribution of the affected features."""
        data = source.rows[:, affected]
        centre = moments.column_means(data)
        total, term = np.zeros(cells.shape), np.empty(cells.shape)
        for deviation in data - centre:  # row by row: a fixed order of additions
            np.multiply.outer(rng.standard_normal(len(cells)), deviation, out=term)
            total += term
        return centre + math.sqrt(self.strength / (len(data) - 1)) * total


class Additive(AnomalyKind):
    """x_i + ε with ε ~ N(mean_in_std·s, std_in_std·s), independently per cell.

    s is the standard deviation over all values of the affected columns together.
    """

    kind: Literal["additive"] = "additive"
    mean_in_std: float = 3.0
    std_in_std: PositiveFloat = 1.0

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the shifted cells."""
        s = moments.std(source.rows[:, affected])
        scaled = self.std_in_std * s * rng.standard_normal(cells.shape)
        shift = self.mean_in_std * s + scaled
        return cells + shift


class Multiplicative(AnomalyKind):
    """x_i·ε with ε ~ N(mean_in_std·s, std), independently per cell.

    s is the standard deviation over all values of the affected columns together.
    """

    kind: Literal["multiplicative"] = "multiplicative"
    mean_in_std: float = 0.5
    std: PositiveFloat = 0.3

    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the multiplied cells."""
        s = moments.std(source.rows[:, affected])
        scaled = self.std * rng.standard_normal(cells.shape)
        factor = self.mean_in_std * s + scaled
        return cells * factor


KINDS: dict[str, type[AnomalyKind]] = {
    "additive": Additive,
    "cluster": Cluster,
    "global": Global,
    "local": Local,
    "multiplicative": Multiplicative,
}


def anomaly(kind: str) -> type[AnomalyKind]:
    """Return the anomaly kind of that name; raise InputError for a name that is none."""
    try:
        return KINDS[kind]
    except KeyError:
        raise unknown("anomaly kind", kind, KINDS) from None


def check_kinds(kinds: Iterable[str | AnomalyKind]) -> tuple[AnomalyKind, ...]:
    """Return the kinds, with default strengths for bare names.

    Raises
    ------
    InputError
        If there is none, one is unknown, or one comes twice.
    """
    models = tuple(anomaly(kind).model_validate({}) if isinstance(kind, str) else kind for kind in kinds)
    names = [model.kind for model in models]
    if not models:
        raise InputError(f"no anomaly kind given; expected one or more of {', '.join(sorted(KINDS))}")
    if len(set(names)) < len(names):
        raise InputError(f"anomaly kinds {', '.join(names)}; expected each at most once")
    return models


def _spelled_out(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


AnyAnomaly = Annotated[
    Annotated[Cluster | Global | Local | Additive | Multiplicative, Field(discriminator="kind")],
    BeforeValidator(_spelled_out),  # a bare name means the paper's strengths
]
