"""What an anomaly kind is, and what it works on."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import BaseModel, Field, PositiveFloat

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.generator import moments
from xadbench.generator.affected import AffectedSets, Neighbours

if TYPE_CHECKING:
    from xadbench.generator.network import AdditiveNoiseNetwork


@dataclass(frozen=True)
class Population:
    """What the clean rows are like: those that statistics are of, and that values are taken from.

    Parameters
    ----------
    rows : (n, d) float64
        At least 2.
    """

    rows: FloatArray

    @cached_property
    def moments(self) -> tuple[FloatArray, FloatArray]:
        """The features' means and standard deviations, each (d,); the same bits everywhere."""
        return moments.column_means(self.rows), moments.column_stds(self.rows)

    def joint_std(self, features: IntArray) -> float:
        """Return the standard deviation over all values of these features together."""
        means, stds = (own[features].tolist() for own in self.moments)
        centre = math.fsum(means) / len(means)
        squares = (
            std * std + (mean - centre) * (mean - centre) for mean, std in zip(means, stds, strict=True)
        )
        return math.sqrt(math.fsum(squares) / len(means))


@dataclass(frozen=True)
class Source:
    """What anomalies are made of.

    Parameters
    ----------
    rows : (n, d) float64
        The clean rows that some are to become anomalous of.
    redraw
        `redraw(strength, n)` gives n fresh rows, (n, d), from the model of the rows with every parameter
        multiplied by `strength`.
    network
        The network that made the rows, if one did.
    noise : (n, d) float64 or None
        With a network: the nodes' own parts of the rows.
    population
        What clean rows are like; default: these, all of them.
    """

    rows: FloatArray
    redraw: Callable[[float, int], FloatArray]
    network: "AdditiveNoiseNetwork | None" = None
    noise: FloatArray | None = None
    population: Population = None  # type: ignore[assignment]  # set at birth

    def __post_init__(self) -> None:
        known = Population(self.rows) if self.population is None else self.population
        object.__setattr__(self, "population", known)

    @property
    def neighbours(self) -> Neighbours | None:
        """The Markov blanket of a feature, as ascending positions; None without a network."""
        if self.network is None:
            return None
        position = {node: column for column, node in enumerate(self.network.nodes)}
        names, blanket = list(position), self.network.get_markov_blanket
        return lambda column: np.array(sorted(position[name] for name in blanket(names[column])), dtype=int)


class Calibrated(BaseModel, frozen=True, extra="forbid"):
    """A strength given as a goal: the AUC at which the oracle detects the kind; see `calibrate`."""

    oracle_auc: float = Field(gt=0.5, lt=1)


Strength = PositiveFloat | Calibrated


def number(strength: float | Calibrated) -> float:
    """Return a strength that is a number; one that is still a goal is a fault of the caller."""
    if isinstance(strength, Calibrated):
        raise TypeError("a calibrated strength must be resolved before it is used")
    return strength


class AnomalyKind(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A way to make normal rows anomalous; subclasses are the kinds."""

    min_affected: ClassVar[int] = 1
    kind: str
    affected: AffectedSets = AffectedSets()

    def draw_affected(
        self, n_features: int, rng: np.random.Generator, neighbours: Neighbours | None = None
    ) -> IntArray:
        """Return the features that one anomaly, or all of the kind, affects: distinct, ascending, (m,)."""
        return self.affected.draw(n_features, self.min_affected, rng, neighbours)

    @abstractmethod
    def change(
        self, index: IntArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the source's rows `index` (k,) as anomalies, (k, d)."""


class CellKind(AnomalyKind):
    """A kind that changes the affected cells and nothing else."""

    def change(
        self, index: IntArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the source's rows `index` (k,) as anomalies, (k, d)."""
        return self.apply(source.rows[index], affected, source, rng)

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
