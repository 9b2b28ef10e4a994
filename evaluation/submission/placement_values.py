"""A placement as JSON values."""

from typing import Any

import pandas as pd

from xadbench.evaluation.results.frame import IDENTITY, VALUE
from xadbench.evaluation.results.store import Record

from .placement import Place, Placement


def as_values(placement: Placement) -> dict[str, Any]:
    """Return the placement as JSON values."""
    return {
        "explainer": placement.label,
        "suite": placement.suite,
        "scope": placement.scope,
        "metric": VALUE,
        "places": [_place_values(place) for place in placement.places],
        "detector": placement.detector,
        "detectors": _rows(placement.detectors, "detector"),
        "data_set": placement.table,
        "shipped": placement.origin or None,
        "notes": placement.notes,
        "trials": [_trial_values(one, placement) for one in _own_records(placement)],
    }


def _place_values(place: Place) -> dict[str, Any]:
    board = place.board
    return {
        "detector": board.detector,
        "auc_roc": board.auc_roc,
        "oracle_auc_roc": place.oracle_auc_roc,
        "n_tables": board.n_tables,
        "n_sources": board.n_sources,
        "n_seeds": board.n_seeds,
        "is_ranked": not place.reason,
        "reason": place.reason,
        "cannot_be_told_from": place.alike if len(place.standing) else [],
        "entries": _rows(place.standing, "explainer"),
        "controls": _rows(board.references, "explainer"),
    }


def _rows(frame: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    if frame.empty:
        return []
    records = frame.rename_axis(name).reset_index().to_dict(orient="records")
    return [{str(column): value for column, value in record.items()} for record in records]


def _own_records(placement: Placement) -> list[Record]:
    if not placement.label:
        return concerned(placement)
    return [one for one in placement.records if one.explainer.label == placement.label]


def _trial_values(record: Record, placement: Placement) -> dict[str, Any]:
    return {
        **dict(zip(IDENTITY, record.identity, strict=True)),
        **{name: getattr(record, name) for name in ("key", "status", "reason", "seconds", "normalised_time")},
        "scores": record.scores.get(placement.scope),
    }


def concerned(placement: Placement) -> list[Record]:
    """Return the records of the new detector, or else those on the new data set."""
    if placement.detector:
        return [one for one in placement.records if one.detector.label == placement.detector]
    return [one for one in placement.records if one.table.label == placement.table]
