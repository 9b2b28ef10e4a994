"""What a run keeps of its tables for a report: the graph behind one, its margins, and five anomalies.

A table may be large, take a minute to make, or come from where a report has no access. So a run, which has it
in hand, writes this of it to `tables/<content hash>.json`.
"""

from collections.abc import Iterable
from itertools import islice, zip_longest
from pathlib import Path
from typing import Literal

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.specs import build_spec
from xadbench.evaluation.leaks.controls import OVERALL, leak_controls, summary
from xadbench.evaluation.suite.tables import Source

from . import store
from .record import Number, Part

MOST_FEATURES = 24  # whose margins a page shows
N_BINS = 24
N_EXAMPLES = 5


class Graph(Part):
    """The network that made a table; `edges` are pairs of parent and child."""

    nodes: list[str]
    edges: list[list[str]]


class FeatureMargin(Part):
    """A feature: in how many rows it is responsible, and its values in normal and in anomalous rows.

    `normal` and `anomalous` are counts in N_BINS equal bins; `facts` the mean and standard deviation of both.
    """

    feature: str
    n_true: int
    normal: list[int]
    anomalous: list[int]
    facts: dict[str, Number]


class ExampleRow(Part):
    """An anomaly, by feature: its values, those of its clean twin where that is known, and the truth."""

    row: int
    kind: str
    values: list[Number]
    clean: list[Number] | None
    ground_truth: list[bool]


class LeakControl(Part):
    """What a leak control scores over all anomalies, and what it scores where there is no leak."""

    control: str
    score: Number
    null: Number


class Leaks(Part):
    """The leak controls of a table, and in a line what they mean."""

    summary: str
    controls: list[LeakControl]


class TableSummary(Part):
    """What a report shows of a table.

    Attributes
    ----------
    features
        Their names.
    graph
        None where it is not known.
    margins
        Of the features most often in the ground truth, at most MOST_FEATURES, in the table's order.
    examples
        Up to N_EXAMPLES anomalies, a kind after the other; none where no ground truth is known.
    leaks
        None where no ground truth is known, or by an older version.
    """

    version: Literal[1] = 1
    features: list[str]
    graph: Graph | None
    margins: list[FeatureMargin]
    examples: list[ExampleRow]
    leaks: Leaks | None = None


def write_summaries(run: Path, sources: Iterable[Source]) -> None:
    """Write what a report shows of each table, once a table."""
    for source in sources:
        path = _path(run, source.hash)
        if not path.exists():
            store.write_json(path, portray(source).model_dump())


def read_summary(run: Path, content_hash: str) -> TableSummary | None:
    """Return what a run kept of the table of that content hash; None if it kept nothing that can be read.

    Raises
    ------
    InputError
        If it is a JSON object, but not what a run keeps; it names the file and the key.
    """
    path = _path(run, content_hash)
    values = store.read_json(path, run)
    return None if values is None else build_spec(values, TableSummary, str(path))


def _path(run: Path, content_hash: str) -> Path:
    return run / "tables" / f"{content_hash}.json"


def portray(source: Source) -> TableSummary:
    """Return what a report shows of a table."""
    table = source.table
    return TableSummary(
        features=list(table.feature_names),
        graph=_graph(source),
        margins=_margins(table),
        leaks=_leaks(source),
        examples=[] if table.mask is None else [_example(table, row) for row in _examples(table)],
    )


def _graph(source: Source) -> Graph | None:
    if source.network is None:
        return None
    return Graph(nodes=list(source.network.nodes), edges=[list(edge) for edge in source.network.edges])


def _leaks(source: Source) -> Leaks | None:
    """Return the leak controls over all anomalies, and in a line what they mean; None without a mask."""
    controls = leak_controls(source.table, source.seed)
    if not len(controls):
        return None
    of_all = controls[controls["kind"] == OVERALL]
    shown = zip(*(of_all[name].tolist() for name in ("control", "score", "null")), strict=True)
    return Leaks(
        summary=summary(controls),
        controls=[LeakControl(control=name, score=score, null=null) for name, score, null in shown],
    )


def _margins(table: LabelledTable) -> list[FeatureMargin]:
    ground_truth = np.zeros(table.n_features, int) if table.mask is None else table.mask.sum(axis=0)
    chosen = np.sort(np.argsort(-ground_truth, kind="stable")[:MOST_FEATURES])
    return [_margin(table, int(i), int(ground_truth[i])) for i in chosen]


def _margin(table: LabelledTable, i: int, n_true: int) -> FeatureMargin:
    values = table.X[:, i]
    low, high = np.quantile(values, [0.001, 0.999])  # the few beyond count in the outer bins
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    parts = {"normal": values[~table.y], "anomalous": values[table.y]}
    facts: dict[str, float | None] = {
        f"{name} {what}": float(function(of)) if len(of) else float("nan")
        for name, of in parts.items()
        for what, function in (("mean", np.mean), ("std", np.std))
    }
    counts = {name: _counts(of, edges) for name, of in parts.items()}
    return FeatureMargin(feature=table.feature_names[i], n_true=n_true, facts=facts, **counts)


def _counts(values: FloatArray, edges: FloatArray) -> list[int]:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return [int(count) for count in counts]


def _examples(table: LabelledTable) -> list[int]:
    """Return the rows of the first anomaly of each kind, then of the second, and so on.

    Those with all features in the ground truth, on which nobody can be wrong, only where there are no others.
    """
    can_tell = table.y & ~table.mask.all(axis=1)  # type: ignore[union-attr]  # only called with a mask
    chosen = can_tell if can_tell.any() else table.y
    by_kind = [np.flatnonzero(chosen & (table.kind == kind)) for kind in np.unique(table.kind[chosen])]
    in_turn = (int(row) for rows in zip_longest(*by_kind) for row in rows if row is not None)
    return list(islice(in_turn, N_EXAMPLES))


def _example(table: LabelledTable, row: int) -> ExampleRow:
    return ExampleRow(
        row=row,
        kind=table.kinds[table.kind[row]],
        values=table.X[row].tolist(),
        clean=None if table.clean is None else table.clean[row].tolist(),
        ground_truth=table.mask[row].tolist(),  # type: ignore[index]  # examples are shown of tables with a mask
    )
