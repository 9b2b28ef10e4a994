"""Audits: is a recipe worth explaining? What chance, margins and those who know the network achieve on it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from xadbench import __version__
from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.arrays import BoolArray, FloatArray
from xadbench.datasets.files import atomic_write
from xadbench.evaluation import metrics
from xadbench.evaluation.detectors import Detector, make_detector
from xadbench.evaluation.explainers import Explainer, make_explainer
from xadbench.generator import generate
from xadbench.generator.integrate import Network
from xadbench.generator.oracle import BayesDetector, Sequential, SingleDrop, Surprise
from xadbench.generator.recipe import Recipe, build_network

OVERALL = "all"
TRAINED = ("dte", "iforest")
ORACLES: dict[str, Callable[[Network], Explainer]] = {
    "sequential": Sequential,
    "single_drop": SingleDrop,
    "surprise": Surprise,
}
KNOW_NOTHING = ("z_score", "random")
HEADINGS = {
    "kind": "kind",
    "rows": "rows",
    "chance": "chance",
    "oracle_auc": "oracle AUC",
    "sequential": "oracle",
    "single_drop": "single drop",
    "surprise": "surprise",
    "z_score": "|z|",
    "random": "random",
    "dte_auc": "DTE AUC",
    "iforest_auc": "iforest AUC",
}
WIDEST = 1000
NOTES = (
    "rows: anomalies. chance: what a blind guess gets in nDCG_m, mean m/d. AUC: of the kind's anomalies "
    "against all normal rows; of the Bayes detector (-log p), and of trained ones. The rest is nDCG_m over "
    "all anomalies, adjusted for chance: 0 = a blind guess, 1 = the truth. oracle: sequential repair by the "
    "known network. single drop: of -log p when a feature is integrated out. surprise: of a value given its "
    "parents. |z|: distance from the mean."
)


def audit(recipe: Recipe, seed: int = 0, *, train: bool = False) -> pd.DataFrame:
    """Return what is achieved on a recipe's table, by kind of anomaly and overall.

    Parameters
    ----------
    recipe
        What to audit.
    seed
        Which of its tables, at least 0; the seed of the trained detectors too.
    train
        Whether to train DTE and isolation forest on the standardised table; takes minutes.

    Returns
    -------
    DataFrame
        A row a kind, then "all". Columns as in HEADINGS, the last two only with `train`. AUCs are of the
        kind's anomalies against all normal rows. NaN where every anomaly has all features as culprits.

    Raises
    ------
    InputError
        If a strength cannot be calibrated, or `seed` is out of range.
    """
    table = generate(recipe, seed)
    network = build_network(recipe, seed)
    oracle = BayesDetector(network).fit(table.X)
    scores = {"oracle_auc": oracle.decision_function(table.X)}
    scores |= _trained_scores(table, seed) if train else {}
    explainers: dict[str, Explainer] = {name: knowing(network) for name, knowing in ORACLES.items()}
    explainers |= {name: make_explainer(name, random_state=seed) for name in KNOW_NOTHING}
    ndcg = {name: _adjusted_ndcg(explainer, oracle, table) for name, explainer in explainers.items()}
    groups = {kind: table.kind == label for label, kind in enumerate(table.kinds) if label}
    groups[OVERALL] = table.y
    return pd.DataFrame([{"kind": kind} | _row(own, table, scores, ndcg) for kind, own in groups.items()])


def _trained_scores(table: LabelledTable, seed: int) -> dict[str, FloatArray]:
    X = standardise(table).X
    fitted = {name: make_detector(name, random_state=seed).fit(X) for name in TRAINED}
    return {f"{name}_auc": detector.decision_function(X) for name, detector in fitted.items()}


def _adjusted_ndcg(explainer: Explainer, detector: Detector, table: LabelledTable) -> FloatArray:
    """Return the adjusted nDCG_m of every row, (n,); NaN where it tells nothing, as in all normal rows."""
    mask: BoolArray = table.mask  # type: ignore[assignment]  # a generated table names its culprits
    values = np.full(table.n_rows, np.nan)
    found = explainer.fit(detector, background=table.X).explain(table.X[table.y])
    values[table.y] = metrics.adjusted(metrics.ndcg_m(found, mask[table.y]), mask[table.y])
    return values


def _row(
    chosen: BoolArray, table: LabelledTable, scores: Mapping[str, FloatArray], ndcg: Mapping[str, FloatArray]
) -> dict[str, float | int]:
    """Return an audit's figures over the `chosen` anomalies, (n,) bool."""
    mask: BoolArray = table.mask  # type: ignore[assignment]  # as above
    compared = chosen | ~table.y
    aucs = {name: metrics.auc_roc(values[compared], chosen[compared]) for name, values in scores.items()}
    chance = float(metrics.chance_level(mask[chosen]).mean())
    means = {name: _mean(values[chosen]) for name, values in ndcg.items()}
    return {"rows": int(chosen.sum()), "chance": chance} | aucs | means


def _mean(values: FloatArray) -> float:
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else float("nan")


def publish(
    recipe: Recipe, seed: int, console: Console, json_file: Path | None = None, *, train: bool = False
) -> None:
    """Audit a recipe, print the table, and write it as JSON to `json_file` if one is given."""
    board = audit(recipe, seed, train=train)
    table = as_rich(board, f"Audit of {recipe.name}, seed {seed}")
    wide = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    narrow, console.width = console.width, max(wide, console.width)  # figures are never cut
    console.print(table, highlight=False)
    console.print(NOTES, width=narrow, highlight=False)
    if json_file is not None:
        with atomic_write(json_file) as file:
            file.write(f"{json.dumps(as_json(board, recipe, seed), indent=2)}\n".encode())


def as_text(recipe: Recipe, seed: int) -> str:
    """Return an audit in Markdown, with what its columns mean."""
    board = audit(recipe, seed).map(_text).rename(columns=HEADINGS)
    table = board.to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\nSeed {seed}. {NOTES}\n"


def as_json(board: pd.DataFrame, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Return an audit as JSON values: `recipe`, `seed`, and `kinds` with a record each; null for NaN."""
    records = [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in board.to_dict("records")
    ]
    return {"recipe": recipe.name, "seed": seed, "xadbench": __version__, "kinds": records}


def as_rich(board: pd.DataFrame, title: str) -> Table:
    """Return an audit as a table for the terminal."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    names = [name for name in HEADINGS if name in board]
    for name in names:
        table.add_column(
            HEADINGS[name].replace(" ", "\n"), justify="left" if name == "kind" else "right", no_wrap=True
        )
    for _, row in board.iterrows():
        if row["kind"] == OVERALL:
            table.add_section()
        table.add_row(*(_text(row[name]) for name in names))
    return table


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if pd.isna(value) else f"{value:.3f}"
