"""Comparisons of records with changed copies of them."""

import json

import pytest

from xadbench.evaluation.regression import Criteria, compare
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.stored_runs import of_records


def _changed(records, change, explainer="good", **where):
    """Return copies of the records; `change` alters those of an explainer."""
    copies = json.loads(json.dumps(records))
    for record in copies:
        of_part = {"table": record["table"]["label"], "seed": record["seed"]}
        if record["explainer"]["label"] == explainer and all(of_part[key] == where[key] for key in where):
            change(record)
    return copies


def _lost(loss, metric="adjusted_ndcg_m"):
    def change(record):
        record["scores"]["detected"][metric] -= loss

    return change


def _slower(ratio):
    def change(record):
        record["normalised_time"] *= ratio

    return change


def _failed(record):
    record |= {"status": "error", "reason": "ValueError: <b>|", "scores": {}}


def _gate_of(base, new, **criteria):
    return compare(
        of_records("base", base, RunDescription()),
        of_records("new", new, RunDescription()),
        Criteria(**criteria),
        n_resamples=500,
    )


def _verdicts(check):
    return {(one.explainer, one.measure): one.verdict for one in check.comparisons}


@pytest.fixture
def changed():
    return _changed


@pytest.fixture
def lost():
    return _lost


@pytest.fixture
def slower():
    return _slower


@pytest.fixture
def failed():
    return _failed


@pytest.fixture
def gate_of():
    return _gate_of


@pytest.fixture
def verdicts():
    return _verdicts
