"""A Bayesian network in which every child is its own noise plus the sum of its parents."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

import networkx as nx
import numpy as np
from pgmpy.base import DAG

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError, unknown
from xadbench.datasets.streams import stream
from xadbench.generator.draws import check_seed
from xadbench.generator.noise import Noise

CHUNK_ROWS = 8192  # part of the data's identity: another size gives other rows


class AdditiveNoiseNetwork(DAG):  # type: ignore[misc]  # pgmpy ships no types
    """A pgmpy DAG whose nodes carry noise: x_i = noise_i + Σ_{j parent of i} x_j.

    Parameters
    ----------
    ebunch
        Edges (parent, child).
    noise
        The distribution of each node's own part. Its order is the order of the columns.

    Raises
    ------
    InputError
        If an edge names a node without noise, or the edges form a cycle.

    Examples
    --------
    >>> from xadbench.generator.noise import NormalNoise
    >>> unit = NormalNoise(mean=0, std=1)
    >>> network = AdditiveNoiseNetwork([("a", "b")], noise={"a": unit, "b": unit})
    >>> network.simulate(3, do={"a": 2.0}).shape
    (3, 2)
    """

    def __init__(
        self, ebunch: Iterable[tuple[str, str]] = (), noise: Mapping[str, Noise] | None = None
    ) -> None:
        super().__init__()
        for node, distribution in (noise or {}).items():
            self.add_node(node, noise=distribution)
        for parent, child in ebunch:
            self._check_nodes({parent, child})
            self.add_edge(parent, child)
        if not nx.is_directed_acyclic_graph(self):
            raise InputError("the edges form a cycle; expected an acyclic graph")

    @property
    def noise(self) -> dict[str, Noise]:
        """The distribution of each node's own part, in the order of the columns."""
        return dict(self.nodes(data="noise"))

    def copy(self) -> Self:
        """Return a copy with its noise; pgmpy's own would drop it, and reorder the nodes."""
        return type(self)(self.edges(), self.noise)

    def scaled(self, factor: float) -> Self:
        """Return the network with every noise parameter multiplied by `factor`, greater than 0."""
        return type(self)(self.edges(), {node: own.scaled(factor) for node, own in self.noise.items()})

    def simulate(
        self,
        n_rows: int,
        seed: int = 0,
        *,
        purpose: str = "rows",
        do: Mapping[str, float] | None = None,
        noise: Mapping[str, Noise] | None = None,
    ) -> FloatArray:
        """Return rows by ancestral sampling.

        Every (seed, purpose, node, chunk of rows) has a random stream of its own. So the first k of n rows
        are those of k rows, and an intervention alters exactly its node and what lies downstream.

        Parameters
        ----------
        n_rows
            Number of rows n, at least 1.
        seed
            At least 0.
        purpose
            What the rows are for; another purpose gives independent rows.
        do
            Values that nodes are set to, whatever their parents.
        noise
            Distributions that replace the nodes' own.

        Returns
        -------
        (n, d) float64
            One column a node, in the order of `noise`.

        Raises
        ------
        InputError
            If `n_rows` or `seed` is out of range, or `do` or `noise` names no node.
        """
        return np.concatenate(list(self.chunks(n_rows, seed, purpose=purpose, do=do, noise=noise)))

    def chunks(
        self,
        n_rows: int,
        seed: int = 0,
        *,
        purpose: str = "rows",
        do: Mapping[str, float] | None = None,
        noise: Mapping[str, Noise] | None = None,
    ) -> Iterator[FloatArray]:
        """Yield the rows of `simulate` in chunks of 8,192, each (k, d)."""
        if n_rows < 1:
            raise InputError(f"n_rows is {n_rows}; expected at least 1")
        check_seed(seed)
        self._check_nodes({*(do or {}), *(noise or {})})
        own = self.noise | dict(noise or {})
        for chunk, start in enumerate(range(0, n_rows, CHUNK_ROWS)):
            size = min(CHUNK_ROWS, n_rows - start)
            draws = {
                node: own[node].draw(stream(seed, "network", purpose, node, str(chunk)), size)
                for node in self.nodes
            }
            yield self._propagate(draws, do or {})

    def _propagate(self, draws: Mapping[str, FloatArray], do: Mapping[str, float]) -> FloatArray:
        columns: dict[str, FloatArray] = {}
        for node, parents in self._plan():
            columns[node] = draws[node]
            for parent in parents:
                columns[node] = columns[node] + columns[parent]
            if node in do:
                columns[node] = np.full_like(draws[node], do[node])
        return np.stack([columns[node] for node in self.nodes], axis=1)

    def log_density(self, X: FloatArray) -> FloatArray:
        """Return log p(x_i | parents of x_i) of every cell, natural log, (n, d); a row's sum is log p(row).

        Parameters
        ----------
        X : (n, d) float64
            Rows, one column a node.
        """
        if X.ndim != 2 or X.shape[1] != len(self):
            raise InputError(f"X has shape {X.shape}, expected (n, {len(self)}): one column a node")
        columns = dict(zip(self.nodes, X.T, strict=True))
        own = dict(columns)
        for node, parents in self._plan():
            for parent in parents:
                own[node] = own[node] - columns[parent]
        return np.stack([noise.log_density(own[node]) for node, noise in self.noise.items()], axis=1)

    def _plan(self) -> list[tuple[str, list[str]]]:
        """Return every node with its parents: of all orders the one lexicographic in the columns."""
        position = {node: column for column, node in enumerate(self.nodes)}.__getitem__
        order = nx.lexicographical_topological_sort(self, key=position)
        return [(node, sorted(self.predecessors(node), key=position)) for node in order]

    def _check_nodes(self, names: Iterable[str]) -> None:
        for name in sorted(set(names).difference(self.nodes)):
            raise unknown("node", name, self.nodes)
