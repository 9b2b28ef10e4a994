"""What the clean values of a set's cells may have been, given the rest of the row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray

from .density import node_log_density, node_term
from .linear_gaussian import Normal, log_normal

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

WIDER = 1.5  # how much wider the normal is that points are drawn from where it is an approximation
CELLS_AT_ONCE = 1 << 22


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
    ) -> FloatArray:
        """Return log p(x with clean cells) - log p(x), (n, k), for rows (n, d), sets (n, m), cells (n, k, m).

        `given` are mean (n, m) and covariance (n, m, m) of `given_the_rest`.
        """
        mean, covariance = given
        if self.exact:
            at = np.arange(len(X))[:, None], sets
            clean_part = log_normal(clean - mean[:, None], covariance[:, None])
            return np.asarray(clean_part - log_normal(X[at] - mean, covariance)[:, None])
        step = max(1, CELLS_AT_ONCE // (clean.shape[1] * X.shape[1]))
        parts = [
            self._weighted(X[i : i + step], sets[i : i + step], clean[i : i + step])
            for i in range(0, len(X), step)
        ]
        return np.concatenate(parts)

    def _weighted(self, X: FloatArray, sets: IntArray, clean: FloatArray) -> FloatArray:
        """Return `log_ratio` by the network's own density; only nodes in a set and their children count."""
        rows = np.repeat(X.T[:, :, None], clean.shape[1], axis=2)
        rows[sets.T, np.arange(len(X))] = np.moveaxis(clean, 2, 0)
        before = node_log_density(self.network, X)
        position = {node: column for column, node in enumerate(self.network.noise)}
        total = np.zeros(clean.shape[:2])
        for node, column in position.items():
            family = [column, *(position[parent] for parent in self.network.predecessors(node))]
            moved = np.flatnonzero(np.isin(sets, family).any(axis=1))
            columns = {name: rows[position[name], moved] for name in (node, *self.network.predecessors(node))}
            total[moved] += node_term(self.network, node, columns) - before[moved, column, None]
        return total
