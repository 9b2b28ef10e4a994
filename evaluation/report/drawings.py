"""A table's table summary as drawings: the graph behind it, and its margins."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from xadbench.evaluation.results.table_summary import TableSummary

MOST_NODES = 60  # of a graph that can be read as a drawing
WIDTH, HEIGHT = 240, 70  # of a margin's drawing


class Margin(NamedTuple):
    """A feature's margins: share of rows in equal bins, of normal and of anomalous rows, as polylines."""

    feature: str
    normal: str
    anomalous: str
    n_true: int
    facts: dict[str, float | None]


def margins(summary: TableSummary) -> list[Margin]:
    """Return the drawings of the margins that a table summary has, in its order."""
    return [
        Margin(of.feature, _line(of.normal), _line(of.anomalous), of.n_true, of.facts)
        for of in summary.margins
    ]


def _line(counts: Sequence[int]) -> str:
    most = max(1, *counts)
    step = WIDTH / (len(counts) - 1)
    # the root, so that small shares are seen
    return " ".join(
        f"{i * step:.0f},{HEIGHT - 2 - (HEIGHT - 6) * (count / most) ** 0.5:.1f}"
        for i, count in enumerate(counts)
    )


def graph(summary: TableSummary) -> dict[str, Any] | None:
    """Return the places of the network's nodes and edges, a column a generation; None if it is not known.

    A graph of more than MOST_NODES has no places, only the parents of each node.
    """
    import networkx as nx  # noqa: PLC0415  # as slow as what it draws is rare

    if summary.graph is None:
        return None
    network = nx.DiGraph()
    network.add_nodes_from(summary.graph.nodes)
    network.add_edges_from(summary.graph.edges)
    parents = {node: sorted(network.predecessors(node)) for node in network}
    if len(network) > MOST_NODES:
        return {"places": {}, "edges": [], "parents": parents, "width": 0, "height": 0}
    generations = [sorted(of) for of in nx.topological_generations(network)]
    height = 36 * max(len(of) for of in generations) + 20
    places = {
        node: (60 + 130 * column, round(height * (row + 0.5) / len(of)))
        for column, of in enumerate(generations)
        for row, node in enumerate(of)
    }
    edges = [(*places[parent], *places[child]) for parent, child in network.edges]
    width = 130 * len(generations)
    return {"places": places, "edges": edges, "parents": parents, "width": width, "height": height}
