"""Random directed acyclic graphs of exact size."""

from typing import TYPE_CHECKING

import numpy as np

from xadbench.datasets.common.errors import InputError
from xadbench.generator.draws import permutation, subset

if TYPE_CHECKING:
    import networkx as nx


def max_edges(n_nodes: int) -> int:
    """Return the largest number of edges that a DAG of `n_nodes` nodes has: d(d-1)/2."""
    return n_nodes * (n_nodes - 1) // 2


def check_edges(n_nodes: int, n_edges: int) -> int:
    """Return `n_edges`; raise InputError unless it is within 0..d(d-1)/2."""
    if not 0 <= n_edges <= max_edges(n_nodes):
        raise InputError(
            f"{n_edges} edges among {n_nodes} nodes; expected 0 to d(d-1)/2 = {max_edges(n_nodes)}"
        )
    return n_edges


def random_dag(n_nodes: int, n_edges: int, rng: np.random.Generator) -> "nx.DiGraph":
    """Return a random DAG with exactly `n_nodes` nodes and `n_edges` edges.

    The order of the nodes is uniformly random, and so is the set of edges given that order.

    Parameters
    ----------
    n_nodes
        Number of nodes d, at least 1; they are called x0, x1, ...
    n_edges
        Number of edges, from 0 to d(d-1)/2.
    rng
        The source of randomness.

    Raises
    ------
    InputError
        If a DAG of that size does not exist.

    Examples
    --------
    >>> from xadbench.datasets.rng import stream
    >>> dag = random_dag(4, 3, stream(0, "graph"))
    >>> dag.number_of_nodes(), dag.number_of_edges()
    (4, 3)
    """
    if n_nodes < 1:
        raise InputError(f"{n_nodes} nodes; expected at least 1")
    check_edges(n_nodes, n_edges)
    order = permutation(n_nodes, rng)
    earlier, later = np.triu_indices(n_nodes, k=1)
    chosen = subset(len(earlier), n_edges, rng)
    edges = zip(order[earlier[chosen]], order[later[chosen]], strict=True)
    import networkx as nx  # noqa: PLC0415  # takes a tenth of a second, and recipes are read without

    dag = nx.DiGraph()
    dag.add_nodes_from(f"x{i}" for i in range(n_nodes))
    dag.add_edges_from((f"x{a}", f"x{b}") for a, b in edges)
    return dag
