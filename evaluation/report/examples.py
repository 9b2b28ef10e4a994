"""Explained examples of a report: anomalies of a table, the truth and what each explainer names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.metrics import ndcg_m
from xadbench.evaluation.results.artifacts import load_attributions
from xadbench.evaluation.results.table_summary import ExampleRow, TableSummary

MOST_FEATURES = 12  # of a row that a page shows
HIDDEN = frozenset({"truth", "inverted_truth"})  # the truth has a column of its own
Attributions = Mapping[str, pd.DataFrame]  # by explainer, as of `load_attributions`


@dataclass(frozen=True)
class Feature:
    """A feature of an example: its value, its clean value, whether it is responsible, and who names it.

    `attributions` has a share of the row's largest attributions for each explainer, in [-1, 1].
    """

    name: str
    value: float | None
    clean: float | None
    is_true: bool
    attributions: list[float]


@dataclass(frozen=True)
class Example:
    """An anomaly, and the features shown of it: the ground-truth features and those top-ranked.

    `detected` is its weight in that scope, see `load_rows`; `ndcg_m` that of each explainer on this row.
    """

    row: int
    kind: str
    detected: float
    n_true: int
    explainers: list[str]
    ndcg_m: list[float]
    features: list[Feature]


def saved_attributions(run: Path, trials: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the attributions that a run kept of trials, by explainer; a file that is gone is left out."""
    found = {}
    for name, key, kept in zip(trials["explainer"], trials["key"], trials["artifacts"], strict=True):
        if isinstance(kept, tuple) and "attributions" in kept and name not in HIDDEN:
            try:
                found[str(name)] = load_attributions(run, key)
            except InputError:
                continue
    return found


def examples(summary: TableSummary, attributions: Attributions) -> list[Example]:
    """Return the examples of a table summary with the explainers of `attributions`, in their order."""
    return [_example(summary, of, attributions) for of in summary.examples] if attributions else []


def _example(summary: TableSummary, of: ExampleRow, attributions: Attributions) -> Example:
    of_row = {name: frame.xs(of.row, level="row") for name, frame in attributions.items()}
    matrix = np.array([frame.to_numpy()[0] for frame in of_row.values()])
    mask = np.asarray(of.ground_truth, dtype=bool)
    shares = _shares(matrix)
    return Example(
        row=of.row,
        kind=of.kind,
        detected=float(next(iter(of_row.values())).index[0]),
        n_true=int(mask.sum()),
        explainers=list(of_row),
        ndcg_m=ndcg_m(matrix, np.tile(mask, (len(matrix), 1))).tolist(),
        features=[
            Feature(
                name=summary.features[i],
                value=of.values[i],  # noqa: PD011  # no DataFrame
                clean=None if of.clean is None else of.clean[i],
                is_true=bool(mask[i]),
                attributions=shares[:, i].tolist(),
            )
            for i in _shown(mask, shares)
        ],
    )


def _shares(matrix: FloatArray) -> FloatArray:
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    shares: FloatArray = matrix / np.where(largest > 0, largest, 1)
    return shares


def _shown(mask: BoolArray, shares: FloatArray) -> Sequence[int]:
    """Return the features to show, in the table's order: true ones before others, the top-ranked first."""
    order = np.lexsort((-shares.max(axis=0), ~mask))
    return [int(i) for i in np.sort(order[:MOST_FEATURES])]
