"""The records of explanations as flat cells: a data set, a method and a seed, with the paper's figures."""

from collections.abc import Iterator, Sequence

from xadbench.evaluation.metrics import SET_SIZES
from xadbench.evaluation.results.record import Numbers
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.controls import NONE

from .comparison import Cell


def ground_truth_cells(records: Sequence[Record]) -> list[Cell]:
    """Return how well each explainer names the ground truth, as published and adjusted for chance.

    `ndcg_m` is over all flagged rows, false positives as 0; `acc_m` and `ndcg_m_detected` over the anomalies
    among them. The chance of `ndcg_m_detected` is that of `acc_m`. The adjusted ones are over those anomalies
    of which some features are in the ground truth and others not.
    """
    return [_named(record) | _ground_truth(record) for record in records]


def _named(record: Record) -> Cell:
    """Return what names a cell, how it ended, and what is known of its detector."""
    quality = record.detector.quality
    return {
        "dataset": record.table.label,
        "method": record.explainer.label,
        "seed": record.seed,
        "status": record.status,
        "reason": record.reason,
        "auc_roc": quality.get("auc_roc"),
        "fit_seconds": record.detector.fit_seconds,
    }


def _ground_truth(record: Record) -> Cell:
    if record.status != "ok":
        return {}
    flagged, detected = record.scores["flagged"], record.scores["detected"]
    return {
        "ndcg_m": flagged["ndcg_m"],
        "ndcg_m_chance": flagged["chance"],
        "n_explained": flagged["n_rows"],
        "ndcg_m_detected": detected["ndcg_m"],
        "acc_m": detected["acc_m"],
        "acc_m_chance": detected["chance"],
        "n_detected": detected["n_rows"],
        **{name: detected[name] for name in ("adjusted_ndcg_m", "adjusted_acc_m", "n_informative")},
        "seconds": record.cost.explain["seconds"],
    }


def score_change_cells(records: Sequence[Record]) -> list[Cell]:
    """Return how well attributions tell what changes of a row do to its score, over the flagged rows.

    `infidelity`; `infidelity_rescaled`, where each row's attributions have the factor that serves them best;
    `infidelity_of_nothing`, that of the control `none` where it is among the records; and `faithfulness`, a
    list of `k`, `mean` over the rows where it is defined, and `undefined`, their number. The control `none`
    has no cell of its own.
    """
    nothing = {
        _identity(record): record.scores["flagged"].get("infidelity")
        for record in records
        if record.explainer.name == NONE and record.status == "ok"
    }
    return [
        _named(record) | _score_changes(record, nothing.get(_identity(record)))
        for record in records
        if record.explainer.name != NONE
    ]


def _identity(record: Record) -> tuple[str, int]:
    return record.table.label, record.seed


def _score_changes(record: Record, of_nothing: float | None) -> Cell:
    if record.status != "ok":
        return {}
    flagged = record.scores["flagged"]
    return {
        "n_explained": flagged["n_rows"],
        "infidelity": flagged["infidelity"],
        "infidelity_rescaled": flagged["infidelity_normalised"],
        "infidelity_of_nothing": of_nothing,
        "faithfulness": [*_curve(flagged, record.table.n_features or 0)],
    }


def _curve(flagged: Numbers, n_features: int) -> Iterator[Cell]:
    """Yield a point for each k of which there is more than one set of features."""
    for name, k in ((f"faithfulness_at_{k}", k) for k in SET_SIZES if k < n_features):
        yield {"k": k, "mean": flagged[name], "undefined": flagged[f"n_undefined_{name}"]}
