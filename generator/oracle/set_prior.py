"""The prior over ground-truth sets that a kind of anomaly declares."""

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.generator.anomalies.registry import AnomalyKind

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork


class SetPrior(Protocol):
    """How probable each set of affected features is."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that a set may have."""

    def sets(self, size: int) -> IntArray:
        """Return all sets (s, m) of that size, each ascending."""

    def log(self, sets: IntArray) -> FloatArray:
        """Return the log-probability of each set (..., m), shape (...); -inf where it cannot be drawn."""


@dataclass(frozen=True, eq=False)
class DrawnSets:
    """The sets that `AnomalyKind.draw_affected` draws: every one of a size as likely, or along a graph.

    Parameters
    ----------
    n_features
        The number of features d.
    drawn
        The sizes that are drawn, each as likely.
    blankets : (d, d) bool or None
        For sets along a graph: which features (columns) are in the Markov blanket of each (rows).
    """

    n_features: int
    drawn: tuple[int, ...]
    blankets: BoolArray | None = None

    @classmethod
    def of(cls, kind: AnomalyKind, network: "AdditiveNoiseNetwork") -> "DrawnSets":
        """Return the prior of a kind on the rows of a network."""
        n_features = len(network)
        if kind.kind == "cluster":
            return cls(n_features, (n_features,))
        drawn = tuple(kind.affected.sizes(n_features, kind.min_affected))
        if kind.affected.along == "any":
            return cls(n_features, drawn)
        names = list(network.nodes)
        return cls(
            n_features, drawn, np.array([np.isin(names, network.get_markov_blanket(one)) for one in names])
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that a set may have: along a graph also smaller ones than are drawn."""
        return self.drawn if self.blankets is None else tuple(range(1, max(self.drawn) + 1))

    @property
    def n_sets(self) -> int:
        """The number of sets of these sizes."""
        return sum(math.comb(self.n_features, m) for m in self.sizes)

    def sets(self, size: int) -> IntArray:
        """Return all sets (s, m) of that size."""
        return all_sets(self.n_features, size)

    def log(self, sets: IntArray) -> FloatArray:
        """Return the log-probability of each set."""
        m, d = sets.shape[-1], self.n_features
        if self.blankets is None:
            each = -math.log(len(self.drawn)) - math.log(math.comb(d, m)) if m in self.drawn else -np.inf
            return np.full(sets.shape[:-1], each)
        # One feature was drawn first, and the others from its blanket: all of it where that is too small.
        joined = self.blankets[sets[..., :, None], sets[..., None, :]] | np.eye(m, dtype=bool)
        available = self.blankets.sum(axis=1)[sets]
        n_sizes = (m in self.drawn) + (available == m - 1) * sum(size > m for size in self.drawn)
        ways = np.array([max(math.comb(n, m - 1), 1) for n in range(d)], dtype=float)[available]
        drawn = np.where(joined.all(axis=-1), n_sizes / ways, 0.0).sum(axis=-1)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(drawn / (len(self.drawn) * d)))


@dataclass(frozen=True, eq=False)
class WeightedSets:
    """Some sets with their probabilities: what a whole table says of the set that its rows share.

    Parameters
    ----------
    weights
        Sets, each ascending, to their log-probabilities.
    """

    weights: dict[tuple[int, ...], float]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the sets."""
        return tuple(sorted({len(one) for one in self.weights}))

    def sets(self, size: int) -> IntArray:
        """Return the sets (s, m) of that size."""
        return np.array([one for one in self.weights if len(one) == size], dtype=int).reshape(-1, size)

    def log(self, sets: IntArray) -> FloatArray:
        """Return the log-probability of each set; -inf of one that is not among them."""
        flat = [self.weights.get(tuple(one), -np.inf) for one in sets.reshape(-1, sets.shape[-1]).tolist()]
        return np.array(flat).reshape(sets.shape[:-1])


@cache
def all_sets(n_features: int, size: int) -> IntArray:
    """Return all sets of that size among the features 0..d-1, (s, m), each ascending; not to be changed."""
    return np.array(list(itertools.combinations(range(n_features), size)), dtype=int).reshape(-1, size)
