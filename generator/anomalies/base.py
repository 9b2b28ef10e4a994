"""What an anomaly kind is, and what it works on."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.generator import moments
from xadbench.generator.draws import integer, uniform

from .affected_features import AffectedSets, Neighbours

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork


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
class Donors:
    """Rows whose values anomalies take over; they are no rows of the table, so that no cell is there twice.

    Parameters
    ----------
    rows : (n, d) float64
        At least 1. They are taken in turn, and again from the first one when all are used up.
    """

    rows: FloatArray
    _taken: list[int] = field(default_factory=lambda: [0])

    def take(self, n: int) -> FloatArray:
        """Return the next `n` rows, (n, d)."""
        first = self._taken[0]
        self._taken[0] = first + n
        return self.rows[np.arange(first, first + n) % len(self.rows)]

    def others(self, clean: FloatArray, least: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return values (k, d) for `clean` ones that differ from them by at least `least` (d,).

        Each lies between two neighbours among the donors' values that do, so that no value comes twice
        because few do; NaN where there are no two.
        """
        found = np.full(clean.shape, np.nan)
        for j, column in enumerate(np.sort(self.rows, axis=0).T):
            for i, cell in enumerate(clean[:, j]):
                fits = column[(column != cell) & (np.abs(column - cell) >= least[j])]
                if len(fits) > 1:
                    position = integer(0, len(fits) - 2, rng)
                    found[i, j] = uniform((fits[position], fits[position + 1]), rng)
        return found

    def shuffled(self, rng: np.random.Generator) -> "Donors":
        """Return donors whose values are each of another row: every column in an order of its own."""
        order = np.argsort(rng.random(self.rows.shape), axis=0, kind="stable")
        return Donors(np.take_along_axis(self.rows, order, axis=0))


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
    seed
        With a network: the seed of the table.
    population
        What clean rows are like; default: these, all of them.
    donors
        For kinds that copy: rows apart from the table's.
    component_stds
        With a Gaussian mixture, under the published protocol: the standard deviations (k, d) of the component
        that each of some rows (k, d) is of, drawn given the rows.
    """

    rows: FloatArray
    redraw: Callable[[float, int], FloatArray]
    network: "AdditiveNoiseNetwork | None" = None
    noise: FloatArray | None = None
    seed: int = 0
    population: Population = None  # type: ignore[assignment]  # set at birth
    donors: Donors | None = None
    component_stds: Callable[[FloatArray, np.random.Generator], FloatArray] | None = None

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
    """A way to make normal rows anomalous; subclasses are the kinds.

    Parameters
    ----------
    affected
        How the features that it affects are drawn.
    least_change
        By how many standard deviations of its feature each affected value differs at least from the clean
        one, so that no ground truth is invisible. What differs by less is drawn again; see `plant.Planting`.
    """

    min_affected: ClassVar[int] = 1
    moves_margin: ClassVar[bool] = False  # may leave the range of the clean values: that is its point
    copies: ClassVar[bool] = False  # takes over values of donors
    joint: ClassVar[bool] = False  # values of a row belong together, and are drawn again together
    spreads: ClassVar[bool] = False  # changes cells beside the affected ones
    kind: str
    affected: AffectedSets = AffectedSets()
    least_change: NonNegativeFloat = 0.1

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
        """Return `rows` (k, d) as anomalies: the same except for the affected columns."""
        changed = rows.copy()
        changed[:, affected] = self.values(rows[:, affected], affected, source, rng)
        return changed

    @abstractmethod
    def values(
        self, cells: FloatArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return new values for the affected `cells`, (k, m)."""
