"""Audits: is a recipe worth explaining? What chance, margins and those who know the network achieve on it."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from xadbench import __version__
from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import Infeasible, InputError
from xadbench.datasets.common.rendering import as_markdown, as_rich, plain
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.files import atomic_write
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import Detector, Explainer
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.leaks.controls import LeakFound, leak_controls, leaks, worst
from xadbench.generator import generate, inject
from xadbench.generator.anomalies.registry import AnomalyKind
from xadbench.generator.injection.inject import Protocol
from xadbench.generator.oracle.bayes import BayesExplainer, BayesModel
from xadbench.generator.oracle.density import Network
from xadbench.generator.oracle.heuristic import Sequential, SingleDrop, Surprise
from xadbench.generator.oracle.likelihood_ratio import LikelihoodRatio
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.recipe import Recipe
from xadbench.generator.simulation import build_network

OVERALL = "all"
TRAINED = ("dte", "iforest")
HEURISTICS: dict[str, Callable[[Network], Explainer]] = {
    "network_heuristic": Sequential,
    "single_drop": SingleDrop,
    "surprise": Surprise,
}
SEE_ROWS_ALONE = ("z_score", "surprise_ridge", "random")
HEADINGS = {
    "kind": "kind",
    "rows": "rows",
    "chance": "chance",
    "oracle_auc": "oracle AUC",
    "density_auc": "-log p AUC",
    "oracle": "oracle",
    "oracle_network": "oracle (network)",
    "network_heuristic": "network heuristic",
    "single_drop": "single drop",
    "surprise": "surprise",
    "z_score": "|z|",
    "surprise_ridge": "linear",
    "random": "random",
    "dte_auc": "DTE AUC",
    "iforest_auc": "iforest AUC",
}
LEAK_HEADINGS = {
    "control": "leak control",
    "kind": "kind",
    "rows": "rows",
    "score": "score",
    "null": "null",
    "excess": "excess",
    "family_wise_p": "family-wise p",
    "verdict": "verdict",
}
LEAK_NOTES = (
    "Leak controls rank features without a model: by how a number is written (rarity, repetition, digits, "
    "single precision, minus zero), where a row stands (row_order), or alike for all rows (columns, batch); "
    "inverse: the other way round. Of each the kind where it most exceeds its null, in adjusted nDCG_m over "
    "all anomalies. "
    "null: with the ground truth drawn again. shown, not evaluated: a kind that moves the margin, the "
    "paper's protocol of one affected set a table, or fewer than ten rows."
)
WORDS = {"kind", "leak control", "verdict"}
WIDEST = 1000
NOTES = (
    "rows: anomalies. chance: what a blind guess gets in nDCG_m, mean m/d. AUC: of the kind's anomalies "
    "against all normal rows; of the oracle (likelihood ratio of anomalies and normal rows), of -log p, "
    "and of trained detectors. The rest is nDCG_m over all anomalies, adjusted for chance: 0 = a blind "
    "guess, 1 = the truth. oracle: knows the network and the kinds; no explainer is better in "
    "expectation. oracle (network): knows the network, not the kinds. network heuristic: sequential "
    "repair by the network. single drop: of -log p when a feature is integrated out. surprise: of a value "
    "given its parents. |z|: distance from the mean. linear: distance from a ridge regression on the other "
    "features."
)


@one_thread()
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
        kind's anomalies against all normal rows. NaN where every anomaly has all features as ground-truth
        features, and where the oracle's posterior cannot be computed.

    Raises
    ------
    InputError
        If a strength cannot be calibrated, or `seed` is out of range.
    """
    table = generate(recipe, seed)
    network = build_network(recipe, seed)
    density = NetworkDensity(network).fit(table.X)
    unknown = np.full(table.n_rows, np.nan)
    scores, ndcg = {"oracle_auc": unknown}, {"oracle": unknown, "oracle_network": unknown}
    explainers: dict[str, Explainer] = {}
    with suppress(InputError):  # kinds, or a network, whose posterior cannot be computed
        explainers["oracle_network"] = BayesExplainer(BayesModel.of_network(network))
        model = BayesModel.of_table(network, table)
        explainers["oracle"] = BayesExplainer(model)
        scores["oracle_auc"] = LikelihoodRatio(model).decision_function(table.X)
    scores["density_auc"] = density.decision_function(table.X)
    scores |= _trained_scores(table, seed) if train else {}
    explainers |= {name: knowing(network) for name, knowing in HEURISTICS.items()}
    explainers |= {name: make_explainer(name, random_state=seed) for name in SEE_ROWS_ALONE}
    ndcg |= {name: _adjusted_ndcg(explainer, density, table) for name, explainer in explainers.items()}
    groups = {kind: table.kind == label for label, kind in enumerate(table.kinds) if label}
    groups[OVERALL] = table.y
    return pd.DataFrame([{"kind": kind} | _row(own, table, scores, ndcg) for kind, own in groups.items()])


def _trained_scores(table: LabelledTable, seed: int) -> dict[str, FloatArray]:
    X = standardise(table).X
    fitted = {name: make_detector(name, random_state=seed).fit(X) for name in TRAINED}
    return {f"{name}_auc": detector.decision_function(X) for name, detector in fitted.items()}


def _adjusted_ndcg(explainer: Explainer, detector: Detector, table: LabelledTable) -> FloatArray:
    """Return the adjusted nDCG_m of every row, (n,); NaN where it tells nothing, as in all normal rows."""
    mask: BoolArray = table.mask  # type: ignore[assignment]  # a generated table has ground truth
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
    aucs = {
        name: float("nan") if np.isnan(values).any() else metrics.auc_roc(values[compared], chosen[compared])
        for name, values in scores.items()
    }
    chance = float(metrics.chance_level(mask[chosen]).mean())
    means = {name: _mean(values[chosen]) for name, values in ndcg.items()}
    return {"rows": int(chosen.sum()), "chance": chance} | aucs | means


def _mean(values: FloatArray) -> float:
    reported = values[~np.isnan(values)]
    return float(reported.mean()) if len(reported) else float("nan")


def publish(
    recipe: Recipe, seed: int, console: Console, json_file: Path | None = None, *, train: bool = False
) -> None:
    """Audit a recipe, print the tables, and write them as JSON to `json_file` if one is given.

    Raises
    ------
    LeakFound
        If a leak control exceeds its null.
    """
    board = audit(recipe, seed, train=train)
    controls = leak_controls(generate(recipe, seed), seed)
    overall = np.flatnonzero(board["kind"] == OVERALL)
    title = f"Audit of {recipe.name}, seed {seed}"
    _print(console, as_rich(_cells(board, HEADINGS), title, WORDS, sections=overall, edge=False), NOTES)
    _publish_controls(controls, recipe.name, console)
    if json_file is not None:
        _write(json_file, as_json(board, controls, recipe, seed))
    _check(controls, recipe.name)


def publish_injection(
    name: str,
    table: LabelledTable,
    kinds: Sequence[str | AnomalyKind],
    console: Console,
    json_file: Path | None = None,
    *,
    ratio: float = 0.05,
    seed: int = 0,
    protocol: Protocol = "per-row",
) -> None:
    """Inject each kind by itself, print its leak controls, and name the kinds that cannot be made.

    Raises
    ------
    InputError
        If no kind can be made.
    LeakFound
        If a leak control exceeds its null.
    """
    controls, infeasible = injected_controls(table, kinds, ratio=ratio, seed=seed, protocol=protocol)
    if not len(controls):
        raise InputError(f"{name}: {next(iter(infeasible.values()), 'no row tells anything')}")
    _publish_controls(controls, name, console)
    for kind, reason in infeasible.items():
        console.print(plain(f"{name}, {kind}: cannot be made: {reason}"), highlight=False)
    if json_file is not None:
        about = {"dataset": name, "seed": seed, "ratio": ratio, "protocol": protocol, "xadbench": __version__}
        _write(json_file, about | {"infeasible": infeasible, "leak_controls": _records(controls)})
    _check(controls, name)


def injected_controls(
    table: LabelledTable,
    kinds: Sequence[str | AnomalyKind],
    *,
    ratio: float = 0.05,
    seed: int = 0,
    protocol: Protocol = "per-row",
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the leak controls of each kind injected by itself, and by kind why some cannot be made."""
    parts, infeasible = [], {}
    for kind in kinds:
        name = kind if isinstance(kind, str) else kind.kind
        try:
            found = leak_controls(inject(table, [kind], ratio, seed=seed, protocol=protocol), seed)
        except Infeasible as error:
            infeasible[name] = str(error)
            continue
        parts.append(found[found["kind"] != OVERALL])
    return pd.concat(parts or [pd.DataFrame()], ignore_index=True), infeasible


def _publish_controls(controls: pd.DataFrame, name: str, console: Console) -> None:
    if len(controls):
        board = _cells(worst(controls), LEAK_HEADINGS)
        _print(console, as_rich(board, f"Leak controls of {name}", WORDS, edge=False), LEAK_NOTES)


def _check(controls: pd.DataFrame, name: str) -> None:
    if len(controls) and len(found := leaks(controls)):
        named = sorted(set(found["control"]))
        raise LeakFound(f"{name}: {', '.join(named)} exceed their null; the ground truth can be read off")


def _print(console: Console, table: Table, notes: str) -> None:
    """Print a table with its notes; its figures are never cut."""
    wide = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    narrow, console.width = console.width, max(wide, console.width)
    console.print(table, highlight=False)
    console.print(notes, width=narrow, highlight=False)
    console.width = narrow


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with atomic_write(path) as file:
        file.write(f"{json.dumps(values, indent=2)}\n".encode())


def as_text(recipe: Recipe, seed: int) -> str:
    """Return an audit in Markdown, with what its columns mean."""
    return f"{as_markdown(_cells(audit(recipe, seed), HEADINGS))}\n\nSeed {seed}. {NOTES}\n"


def as_json(board: pd.DataFrame, controls: pd.DataFrame, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Return an audit as JSON values, null for NaN; `kinds` and `leak_controls` have a record each."""
    about = {"recipe": recipe.name, "seed": seed, "xadbench": __version__}
    return about | {"kinds": _records(board), "leak_controls": _records(controls)}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.to_dict("records")
    ]


def _cells(board: pd.DataFrame, headings: Mapping[str, str]) -> pd.DataFrame:
    """Return those columns of a board that have a heading, as text under it."""
    return board[[name for name in headings if name in board]].map(_text).rename(columns=headings)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if pd.isna(value) else f"{value:.3f}"
