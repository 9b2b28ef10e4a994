"""Integrals of a network's density along one feature: what the other features say about it.

They serve the oracle. Nothing here is published data, so NumPy's logarithms and sums are welcome.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import networkx as nx
import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.generator.networks.noise import Noise

IMPOSSIBLE = -1000.0  # log-density outside a noise's support, at its mean, in units of its standard deviation
POINTS = 128  # of a grid
ZOOMS = 2
NEGLIGIBLE = 25.0  # a point counts nothing where its log-density is that far below the largest
TAIL_IN_STD = 8.0


class Network(Protocol):
    """What the oracle must know of a network; `AdditiveNoiseNetwork` is one."""

    @property
    def noise(self) -> Mapping[str, Noise]:
        """The distribution of each node's own part, in the order of the columns."""

    def location(self, node: str, columns: Mapping[str, FloatArray]) -> FloatArray:
        """Return what the node's parents add to its noise; shapes broadcast."""

    def successors(self, node: str) -> Iterable[str]:
        """Return the node's children."""


class Line(NamedTuple):
    """What is found along one feature of every row, all else being as it is.

    Parameters
    ----------
    log_integral : (n,) float64
        log ∫ p(x) dx_i: the log-density of the other features.
    mode : (n,) float64
        The most likely value of x_i given the other features.
    log_density : (n,) float64
        log p(x) with x_i at its mode.
    """

    log_integral: FloatArray
    mode: FloatArray
    log_density: FloatArray


def log_density(noise: Noise, values: FloatArray) -> FloatArray:
    """Return the noise's log-density at `values`, finite everywhere.

    Outside the support, where it is -inf, it is -1000 - log(std) - |values - mean|/std instead: less than any
    value that occurs, and the less the farther away. So of two rows the one with fewer impossible values is
    always the likelier, and of two impossible values the nearer one.
    """
    mean, std = noise.moments()
    found = noise.log_density(values)
    outside = IMPOSSIBLE - np.log(std) - np.abs(values - mean) / std
    return np.where(np.isneginf(found), outside, found)


def node_log_density(network: Network, X: FloatArray) -> FloatArray:
    """Return the finite log p(x_i | parents of x_i) of every cell, natural log, (n, d)."""
    columns = _columns(network, X)
    return np.stack([node_term(network, node, columns) for node in network.noise], axis=1)


def along(network: Network, X: FloatArray, node: str, bounds: tuple[float, float], terms: FloatArray) -> Line:
    """Integrate and maximise p along one feature, for every row.

    Only the terms of the node and of its children move with it. They are evaluated on 128 equidistant points
    that cover `bounds`, the row's own value and 8 standard deviations of the noise about the node's location,
    with a quarter of that width added on both sides; then twice more on as many points of the part that
    counts. The integral is the trapezoidal sum over the last grid, the mode its best point. Its log is exact
    to 1e-9 where p is smooth, and to about 0.01 where it jumps at the end of a noise's support.

    Parameters
    ----------
    network
        With d nodes.
    X : (n, d) float64
        Rows in the network's units.
    node
        The feature.
    bounds
        Least and largest value of the feature in the background.
    terms : (n, d) float64
        The rows' `node_log_density`.
    """
    names = list(network.noise)
    moving = [node, *network.successors(node)]
    columns = {name: column[:, None] for name, column in _columns(network, X).items()}
    still = terms.sum(axis=1) - terms[:, [names.index(name) for name in moving]].sum(axis=1)

    def moved(grid: FloatArray) -> FloatArray:
        shifted = {**columns, node: grid}
        return np.asarray(sum(node_term(network, name, shifted) for name in moving))

    grid = _grid(*_reach(network, node, columns, bounds))
    found = moved(grid)
    for _ in range(ZOOMS):
        grid = _grid(*_part_that_counts(grid, found))
        found = moved(grid)
    best = np.argmax(found, axis=1)[:, None]
    highest = np.take_along_axis(found, best, axis=1)[:, 0]
    mode = np.take_along_axis(grid, best, axis=1)[:, 0]
    return Line(still + _log_trapezoid(grid, found), mode, still + highest)


def own_parts(network: Network, X: FloatArray) -> FloatArray:
    """Return every node's own part of its value, x_i less its location, (n, d)."""
    columns = _columns(network, X)
    own = [columns[node] - network.location(node, columns) for node in network.noise]
    return np.stack(own, axis=1)


def from_own_parts(network: Network, own: FloatArray) -> FloatArray:
    """Return the rows (n, d) in which the nodes have these own parts (n, d)."""
    columns = _columns(network, own)
    for node in nx.topological_sort(network):
        columns[node] = columns[node] + network.location(node, columns)
    return np.stack([columns[node] for node in network.noise], axis=1)


def _columns(network: Network, X: FloatArray) -> dict[str, FloatArray]:
    return dict(zip(network.noise, X.T, strict=True))


def node_term(network: Network, node: str, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Return the finite log-density of a node given its parents; `columns` of shapes that broadcast."""
    return log_density(network.noise[node], columns[node] - network.location(node, columns))


def _reach(
    network: Network, node: str, columns: Mapping[str, FloatArray], bounds: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    mean, std = network.noise[node].moments()
    own, centre = columns[node], network.location(node, columns) + mean
    low = np.minimum(np.minimum(own, bounds[0]), centre - TAIL_IN_STD * std)
    high = np.maximum(np.maximum(own, bounds[1]), centre + TAIL_IN_STD * std)
    margin = (high - low) / 4
    return low - margin, high + margin


def _grid(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return equidistant points (n, 128) from `low` to `high`, both (n, 1)."""
    return low + (high - low) * np.linspace(0.0, 1.0, POINTS)


def _part_that_counts(grid: FloatArray, found: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends (n, 1) of the part that counts, with a point more on each side."""
    counts = found > found.max(axis=1, keepdims=True) - NEGLIGIBLE
    first = np.maximum(np.argmax(counts, axis=1) - 1, 0)[:, None]
    last = np.minimum(POINTS - np.argmax(counts[:, ::-1], axis=1), POINTS - 1)[:, None]
    return np.take_along_axis(grid, first, axis=1), np.take_along_axis(grid, last, axis=1)


def _log_trapezoid(grid: FloatArray, found: FloatArray) -> FloatArray:
    highest = found.max(axis=1)
    values = np.exp(found - highest[:, None])
    inner = values.sum(axis=1) - (values[:, 0] + values[:, -1]) / 2
    return np.asarray(highest + np.log(inner * (grid[:, 1] - grid[:, 0])))
