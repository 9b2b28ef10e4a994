"""What the clean values of a set's cells may have been, given the rest of the row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.rng import stream

from .density import node_log_density, node_term
from .linear_gaussian import Normal, log_normal

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

WIDER = 1.5  # how much wider the normal is that points are drawn from where it is an approximation


@dataclass(frozen=True, eq=False)
class CleanCells:
    """The distribution of clean cells given the rest of a row: normal, exactly or about.

    Parameters
    ----------
    network
        The network.
    normal
        Its rows as a joint normal distribution.
    exact
        Whether they are that; otherwise points that are drawn from it are weighted by the network's density.
    """

    network: "AdditiveNoiseNetwork"
    normal: Normal
    exact: bool

    def given_the_rest(self, X: FloatArray, sets: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (n, s, m) and covariance (..., s, m, m); see `Normal.given_the_rest`."""
        return self.normal.given_the_rest(X, sets)

    def log_base(self, X: FloatArray) -> FloatArray:
        """Return log p(x) of the normal distribution less that of the network, (n,); 0 where it is exact.

        What the normal distribution says of a set is no Bayes factor otherwise: a row may be impossible under
        the network.
        """
        if self.exact:
            return np.zeros(len(X))
        normal = log_normal(X - self.normal.mean, self.normal.covariance)
        return np.asarray(normal - node_log_density(self.network, X).sum(axis=1))

    def log_ratio(
        self, X: FloatArray, sets: IntArray, clean: FloatArray, given: tuple[FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Return log p(x with clean cells) - log p(x), and the part of it that the cells themselves have.

        That part is Σ log p(x_i | parents) over the set, the density that `ancestral` draws from; 0 where the
        normal distribution is exact. Of rows (n, d), sets (n, m) and cells (n, k, m) both are (n, k). `given`
        has mean (n, m) and covariance (n, m, m), as from `given_the_rest`.
        """
        mean, covariance = given
        if self.exact:
            at = np.arange(len(X))[:, None], sets
            clean_part = log_normal(clean - mean[:, None], covariance[:, None])
            ratio = clean_part - log_normal(X[at] - mean, covariance)[:, None]
            return ratio, np.zeros(ratio.shape)
        rows, before = self._rows(X, sets, clean), node_log_density(self.network, X)
        ratio, own = np.zeros(clean.shape[:2]), np.zeros(clean.shape[:2])
        for node, column, parents in self._families:
            moved = np.flatnonzero(np.isin(sets, [column, *parents]).any(axis=1))
            found = node_term(self.network, node, self._family_of(rows, node, moved))
            ratio[moved] += found - before[moved, column, None]
            own[moved] += np.where((sets[moved] == column).any(axis=1)[:, None], found, 0.0)
        return ratio, own

    def ancestral(self, X: FloatArray, sets: IntArray, n_points: int) -> FloatArray:
        """Return cells (n, k, m) of sets (n, m), each drawn given its parents, in the network's order."""
        at = np.arange(len(X))[:, None], sets
        rows = self._rows(X, sets, np.repeat(X[at][:, None], n_points, axis=1))
        families = {node: column for node, column, _ in self._families}
        for node in nx.topological_sort(self.network):
            drawn = np.flatnonzero((sets == families[node]).any(axis=1))
            own = self.network.noise[node].draw(stream(0, "oracle", "ancestral", node), n_points)
            location = self.network.location(node, self._family_of(rows, node, drawn))
            rows[families[node], drawn] = location + own
        return np.moveaxis(rows[sets.T, np.arange(len(X))], 0, 2)

    @property
    def _families(self) -> list[tuple[str, int, list[int]]]:
        """Each node with its column and those of its parents."""
        position = {node: column for column, node in enumerate(self.network.noise)}
        return [
            (node, column, [position[parent] for parent in self.network.predecessors(node)])
            for node, column in position.items()
        ]

    def _rows(self, X: FloatArray, sets: IntArray, clean: FloatArray) -> FloatArray:
        """Return the rows with clean cells, features first: (d, n, k)."""
        rows = np.repeat(X.T[:, :, None], clean.shape[1], axis=2)
        rows[sets.T, np.arange(len(X))] = np.moveaxis(clean, 2, 0)
        return rows

    def _family_of(self, rows: FloatArray, node: str, which: IntArray) -> dict[str, FloatArray]:
        position = {name: column for column, name in enumerate(self.network.noise)}
        return {one: rows[position[one], which] for one in (node, *self.network.predecessors(node))}
