"""A network as a joint normal distribution: exact where terms are linear and noise is normal."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import networkx as nx
import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.generator.networks.noise import Noise

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork


def check_network(network: "AdditiveNoiseNetwork") -> None:
    """Raise InputError for a network that is no DAG, or that has a node without a density."""
    if not nx.is_directed_acyclic_graph(network):
        raise InputError("the network has a cycle; the oracle needs an acyclic graph")
    noise: dict[str, object] = {**network.noise}
    for node in network:
        if not isinstance(noise.get(node), Noise):
            raise InputError(
                f"node {node!r} of the network has no density; the oracle needs noise of a known family for "
                "every node (normal, uniform, exponential, gamma)"
            )


def is_linear_gaussian(network: "AdditiveNoiseNetwork") -> bool:
    """Whether every term is linear and every noise normal, so that rows are jointly normal."""
    linear = all(term.function == "linear" for own in network.terms.values() for term in own)
    return linear and all(noise.family == "normal" for noise in network.noise.values())


@dataclass(frozen=True, eq=False)
class Normal:
    """A joint normal distribution of the features.

    Parameters
    ----------
    mean : (d,) float64
        Their means.
    covariance : (d, d) float64
        Positive definite.
    """

    mean: FloatArray
    covariance: FloatArray

    @classmethod
    def of_network(cls, network: "AdditiveNoiseNetwork") -> Self:
        """Return the distribution of the rows of a network that is linear and Gaussian."""
        total = total_effects(network)
        means, stds = np.array([noise.moments() for noise in network.noise.values()]).T
        return cls(total @ means, (total * stds**2) @ total.T)

    @cached_property
    def precision(self) -> FloatArray:
        """The inverse of the covariance, (d, d)."""
        return np.asarray(np.linalg.inv(self.covariance), dtype=np.float64)

    @cached_property
    def std(self) -> FloatArray:
        """The standard deviations of the margins, (d,)."""
        return np.sqrt(np.diag(self.covariance))

    def given_the_rest(self, X: FloatArray, sets: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance of the features in each set, given all others of a row.

        Parameters
        ----------
        X : (n, d) float64
            The rows.
        sets : (..., s, m) int
            The same sets for all rows, or (n, s, m), sets of each row's own.

        Returns
        -------
        (n, s, m), (..., s, m, m) float64
        """
        covariance: FloatArray = np.asarray(np.linalg.inv(block(self.precision, sets)), dtype=np.float64)
        pull = cells((X - self.mean) @ self.precision, sets)
        return cells(X, sets) - times(covariance, pull), covariance


def total_effects(network: "AdditiveNoiseNetwork") -> FloatArray:
    """Return how far every node moves with every node's own part, (d, d), in a linear network."""
    position = {node: column for column, node in enumerate(network.nodes)}
    weights = np.zeros((len(position), len(position)))
    for child, own in network.terms.items():
        for term in own:
            weights[position[child], position[term.parents[0]]] += term.weight
    return np.asarray(np.linalg.inv(np.eye(len(position)) - weights), dtype=np.float64)


def block(matrix: FloatArray, sets: IntArray) -> FloatArray:
    """Return the rows and columns of a matrix (d, d) that each set (..., m) names, (..., m, m)."""
    return np.asarray(matrix[sets[..., :, None], sets[..., None, :]])


def cells(X: FloatArray, sets: IntArray) -> FloatArray:
    """Return the values of rows (n, d) in sets (s, m), or in sets of their own (n, s, m): (n, s, m)."""
    return X[:, sets] if sets.ndim == 2 else X[np.arange(len(X))[:, None, None], sets]


def times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return matrices (..., m, m) times vectors (..., m); leading axes broadcast."""
    if matrices.ndim == 3 and vectors.ndim == 3:  # the same sets (s) for all rows (n)
        return np.swapaxes(np.swapaxes(vectors, 0, 1) @ np.swapaxes(matrices, 1, 2), 0, 1)
    return np.asarray(np.einsum("...ij,...j->...i", matrices, vectors))


def log_normal(deviations: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the log-density of deviations (..., m) from the mean, for covariances (..., m, m)."""
    m, root = deviations.shape[-1], np.linalg.cholesky(covariance)
    white = times(np.linalg.inv(root), deviations)
    squares = np.einsum("...i,...i->...", white, white)
    logs = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.asarray(-squares / 2 - logs - m * np.log(2 * np.pi) / 2)


def log_normals(values: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return the log-density of values under normal distributions, elementwise."""
    z = (values - mean) / std
    return np.asarray(-(z**2) / 2 - np.log(std) - np.log(2 * np.pi) / 2)
