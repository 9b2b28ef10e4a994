"""A Bayesian network in which every node is its own noise plus terms of its parents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import networkx as nx
import numpy as np
from pgmpy.base import DAG

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.rng import stream
from xadbench.generator.draws import BLOCK_ROWS, check_seed

from .noise import Noise
from .terms import Term


class Change(NamedTuple):
    """A soft intervention on a node: other noise, other terms, or both; None leaves its own."""

    noise: Noise | None = None
    terms: tuple[Term, ...] | None = None


class AdditiveNoiseNetwork(DAG):  # type: ignore[misc]  # pgmpy ships no types
    """A pgmpy DAG whose nodes carry noise: x_i = noise_i + Σ_k weight_k · function_k(parents of term k).

    Parameters
    ----------
    ebunch
        Edges (parent, child); each is a linear term of weight 1.
    noise
        The distribution of each node's own part. Its order is the order of the columns.
    terms
        Further terms of each node; their parents become parents of the node.

    Raises
    ------
    InputError
        If an edge or a term names a node without noise, or the edges form a cycle.

    Examples
    --------
    >>> from xadbench.generator.networks.noise import NormalNoise
    >>> unit = NormalNoise(mean=0, std=1)
    >>> network = AdditiveNoiseNetwork([("a", "b")], noise={"a": unit, "b": unit})
    >>> network.simulate(3, do={"a": 2.0}).shape
    (3, 2)
    """

    def __init__(
        self,
        ebunch: Iterable[tuple[str, str]] = (),
        noise: Mapping[str, Noise] | None = None,
        terms: Mapping[str, Sequence[Term]] | None = None,
    ) -> None:
        super().__init__()
        for node, distribution in (noise or {}).items():
            self.add_node(node, noise=distribution, terms=())
        for parent, child in ebunch:
            self._add_terms(child, [Term(parents=(parent,))])
        for child, own in (terms or {}).items():
            self._add_terms(child, own)
        if not nx.is_directed_acyclic_graph(self):
            raise InputError("the edges form a cycle; expected an acyclic graph")
        self._order_terms()

    def _add_terms(self, child: str, terms: Iterable[Term]) -> None:
        for term in terms:
            self._check_nodes({child, *term.parents})
            self.add_edges_from((parent, child) for parent in term.parents)
            self.nodes[child]["terms"] += (term,)

    def _order_terms(self) -> None:
        """Put the terms in the order of their parents' columns: sums of floats depend on it."""
        position = {node: column for column, node in enumerate(self.nodes)}
        for node, own in self.terms.items():
            ordered = sorted(own, key=lambda term: [position[parent] for parent in term.parents])
            self.nodes[node]["terms"] = tuple(ordered)

    @property
    def noise(self) -> dict[str, Noise]:
        """The distribution of each node's own part, in the order of the columns."""
        return dict(self.nodes(data="noise"))

    @property
    def terms(self) -> dict[str, tuple[Term, ...]]:
        """What each node takes from its parents, in the order of the columns; () for roots."""
        return dict(self.nodes(data="terms"))

    def copy(self) -> Self:
        """Return a copy with noise and terms; pgmpy's own would drop them, and reorder the nodes."""
        return type(self)((), self.noise, self.terms)

    def remove_edge(self, u: str, v: str) -> None:
        """Remove the edge (u, v) and the child's terms that hold the parent; pgmpy's `do` comes here."""
        super().remove_edge(u, v)
        self.nodes[v]["terms"] = tuple(term for term in self.terms[v] if u not in term.parents)

    def scaled(self, factor: float) -> Self:
        """Return the network with every noise parameter multiplied by `factor`, greater than 0."""
        noise = {node: own.scaled(factor) for node, own in self.noise.items()}
        return type(self)((), noise, self.terms)

    def changed(self, soft: Mapping[str, Change]) -> Self:
        """Return the network after soft interventions; `InputError` if one names no node or makes a cycle."""
        self._check_nodes(soft)
        noise = {node: change.noise for node, change in soft.items() if change.noise is not None}
        terms = {node: change.terms for node, change in soft.items() if change.terms is not None}
        return type(self)((), self.noise | noise, self.terms | terms)

    def simulate(
        self,
        n_rows: int,
        seed: int = 0,
        *,
        purpose: str = "rows",
        do: Mapping[str, float] | None = None,
        soft: Mapping[str, Change] | None = None,
    ) -> FloatArray:
        """Return rows by ancestral sampling.

        Every (seed, purpose, node, block of rows) has a random stream of its own. So the first k of n rows
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
        soft
            Nodes whose noise or terms are others.

        Returns
        -------
        (n, d) float64
            One column a node, in the order of `noise`.

        Raises
        ------
        InputError
            If `n_rows` or `seed` is out of range, or `do` or `soft` names no node.
        """
        if soft:
            return self.changed(soft).simulate(n_rows, seed, purpose=purpose, do=do)
        self._check_nodes(do or {})
        values = np.empty((len(self), check_rows(n_rows)))
        for first in range(0, n_rows, BLOCK_ROWS):
            block = values[:, first : first + BLOCK_ROWS]
            self._draw(block, first // BLOCK_ROWS, seed, purpose)
            self._add_up(block, do or {}, {})
        return values.T

    def blocks(self, n_rows: int, seed: int = 0, *, purpose: str = "rows") -> Iterator[FloatArray]:
        """Yield the rows of `simulate` in blocks of 8,192, each (k, d)."""
        for number, first in enumerate(range(0, check_rows(n_rows), BLOCK_ROWS)):
            values = np.empty((len(self), min(BLOCK_ROWS, n_rows - first)))
            self._draw(values, number, seed, purpose)
            self._add_up(values, {}, {})
            yield values.T

    def draw_noise(
        self, n_rows: int, seed: int = 0, *, purpose: str = "rows", first_block: int = 0
    ) -> FloatArray:
        """Return the nodes' own parts (n, d), which `simulate` adds the terms to, from a block of it on."""
        values = np.empty((len(self), check_rows(n_rows)))
        for number, first in enumerate(range(0, n_rows, BLOCK_ROWS), first_block):
            self._draw(values[:, first : first + BLOCK_ROWS], number, seed, purpose)
        return values.T

    def propagate(self, noise: FloatArray, terms: Mapping[str, tuple[Term, ...]] | None = None) -> FloatArray:
        """Return the rows (n, d) whose nodes' own parts are `noise` (n, d).

        Parameters
        ----------
        noise : (n, d) float64
            As from `draw_noise`.
        terms
            What some nodes take from their parents instead of their own terms.
        """
        values = noise.T.copy()
        self._add_up(values, {}, terms or {})
        return values.T

    def _draw(self, block: FloatArray, number: int, seed: int, purpose: str) -> None:
        """Fill the block (d, k) of that number with own parts; a node's lie side by side."""
        check_seed(seed)
        for own, (node, noise) in zip(block, self.noise.items(), strict=True):
            path = ("network", purpose, node, str(number))
            own[:] = noise.draw(stream(seed, *path), len(own))

    def _add_up(
        self, values: FloatArray, do: Mapping[str, float], terms: Mapping[str, tuple[Term, ...]]
    ) -> None:
        """Turn own parts (d, n) into values, in place, parents first."""
        columns = dict(zip(self.nodes, values, strict=True))
        for node in self._topological_order:
            for term in terms.get(node, self.terms_of(node)):
                columns[node] += term.value(columns)
            if node in do:
                columns[node][:] = do[node]

    def terms_of(self, node: str) -> tuple[Term, ...]:
        """Return what a node takes from its parents."""
        own: tuple[Term, ...] = self.nodes[node]["terms"]
        return own

    def location(self, node: str, columns: Mapping[str, FloatArray]) -> FloatArray:
        """Return the sum of a node's terms, elementwise; 0 where it has none.

        Parameters
        ----------
        node
            Whose parents are asked.
        columns
            At least the parents' values, of shapes that broadcast.
        """
        total: FloatArray = np.zeros(())
        for term in self.terms_of(node):
            total = total + term.value(columns)
        return total

    @property
    def _topological_order(self) -> list[str]:
        """Of all orders the one lexicographic in the columns."""
        position = {node: column for column, node in enumerate(self.nodes)}.__getitem__
        return list(nx.lexicographical_topological_sort(self, key=position))

    def _check_nodes(self, names: Iterable[str]) -> None:
        for name in sorted(set(names).difference(self.nodes)):
            raise unknown("node", name, self.nodes)


def check_rows(n_rows: int) -> int:
    """Return `n_rows`; raise InputError if it is less than 1."""
    if n_rows < 1:
        raise InputError(f"n_rows is {n_rows}; expected at least 1")
    return n_rows
