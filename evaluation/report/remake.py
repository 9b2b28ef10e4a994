"""What a run does not keep of its tables, made again: the graph behind one, and its margins."""

from typing import Any, NamedTuple

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError
from xadbench.evaluation.source import Source, load_source
from xadbench.evaluation.suite import TableSpec

MOST_CELLS = 5_000_000  # rows times features; a larger table takes longer to make than to read about
MOST_FEATURES = 24  # whose margins a page shows
N_BINS = 24
WIDTH, HEIGHT = 240, 70  # of a margin's drawing


class Margin(NamedTuple):
    """A feature's margins: share of rows in equal bins, of normal and of anomalous rows, as polylines."""

    feature: str
    normal: str
    anomalous: str
    n_culprit: int
    facts: dict[str, float]


def remake(spec: TableSpec | None, facts: dict[str, Any]) -> Source | str:
    """Return the table that `spec` names, of the seed in `facts`, or why it cannot be shown.

    It is shown only if its content is that of the run's.
    """
    if spec is None or not isinstance(facts["content_hash"], str):
        return "the run keeps no rows, and does not say what made them"
    if str(spec.dataset).startswith("adbench:"):
        return "the run keeps no rows, and a report loads nothing from ADBench"
    if facts["n_rows"] * facts["n_features"] > MOST_CELLS:
        return "the run keeps no rows, and the table is too large to make again for a report"
    try:
        source = load_source(spec, int(facts["seed"]), run_code=False)  # the run may be anybody's
    except (InputError, OSError) as error:
        return f"the run keeps no rows, and the table cannot be made again: {error}"
    if source.hash != facts["content_hash"]:
        return "the run keeps no rows, and made again the table is another one than the run's"
    return source


def margins(table: LabelledTable) -> list[Margin]:
    """Return the margins of the features most often to blame, at most MOST_FEATURES, in the table's order."""
    culprits = np.zeros(table.n_features, int) if table.mask is None else table.mask.sum(axis=0)
    chosen = np.sort(np.argsort(-culprits, kind="stable")[:MOST_FEATURES])
    return [_margin(table, int(i), int(culprits[i])) for i in chosen]


def _margin(table: LabelledTable, i: int, n_culprit: int) -> Margin:
    values, y = table.X[:, i], table.y
    low, high = np.quantile(values, [0.001, 0.999])  # the few beyond count in the outer bins
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    parts = {"normal": values[~y], "anomalous": values[y]}
    facts = {
        f"{name} {what}": float(function(of)) if len(of) else float("nan")
        for name, of in parts.items()
        for what, function in (("mean", np.mean), ("std", np.std))
    }
    normal, anomalous = (_line(of, edges) for of in parts.values())
    return Margin(str(table.feature_names[i]), normal, anomalous, n_culprit, facts)


def _line(values: FloatArray, edges: FloatArray) -> str:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    height = np.sqrt(counts / max(counts.max(), 1))  # the root, so that small shares are seen
    x = np.linspace(0, WIDTH, N_BINS)
    return " ".join(f"{a:.0f},{HEIGHT - 2 - (HEIGHT - 6) * b:.1f}" for a, b in zip(x, height, strict=True))


def graph(source: Source) -> dict[str, Any] | None:
    """Return the places of the network's nodes and edges, a column a generation; None if it is not known."""
    import networkx as nx  # noqa: PLC0415  # as slow as what it draws is rare

    if source.network is None:
        return None
    generations = [sorted(of) for of in nx.topological_generations(source.network)]
    height = 36 * max(len(of) for of in generations) + 20
    places = {
        node: (60 + 130 * column, round(height * (row + 0.5) / len(of)))
        for column, of in enumerate(generations)
        for row, node in enumerate(of)
    }
    edges = [(*places[parent], *places[child]) for parent, child in source.network.edges]
    parents = {node: sorted(source.network.predecessors(node)) for node in places}
    width = 130 * len(generations)
    return {"places": places, "edges": edges, "parents": parents, "width": width, "height": height}
