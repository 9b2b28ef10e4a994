"""A table that cannot be made of a seed: its trials fail, and the rest goes on."""

import re

import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import Infeasible
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.results import store
from xadbench.evaluation.runs.dry_run import estimate
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.submission.export import export
from xadbench.evaluation.suite import tables as module
from xadbench.evaluation.suite.spec import Suite
from xadbench.generator import inject

OUT_OF_REACH = "wine: anomaly kind 'swap' cannot change 6 of 119 rows"
LABELS = ["z_score", "random", "oracle", "oracle_network", "truth", "inverted_truth"]


@pytest.fixture(scope="module")
def suite():
    wine = {"name": "wine", "dataset": "bundled:wine", "inject": {"ratio": 0.1}}
    tables = [wine, {"recipe": "table2-d4-5", "rows": 200}]
    parts = {"tables": tables, "detectors": ["distance"], "explainers": ["z_score"], "seeds": [10]}
    return Suite.model_validate({"name": "s"} | parts)


@pytest.fixture(autouse=True)
def _infeasible_with_seed_10(monkeypatch):
    def sometimes(table, *, seed, **how):
        if seed == 10:
            raise Infeasible(OUT_OF_REACH.removeprefix("wine: "))
        return inject(table, seed=seed, **how)

    monkeypatch.setattr(module, "inject", sometimes)


def run(suite, folder):
    """Run the suite; return its records, and what each was told as: whether it is new."""
    finished = []
    return run_suite(suite, folder, lambda record, is_new: finished.append((record.key, is_new))), finished


def test_its_trials_are_errors_and_the_rest_is_computed(suite, tmp_path):
    records, finished = run(suite, tmp_path / "run")
    failed = [record for record in records if record.table.label == "wine"]
    assert [(record.explainer.label, record.status) for record in failed] == [
        (label, "error") for label in LABELS
    ]
    assert all(record.reason.startswith(OUT_OF_REACH) for record in failed)
    assert {record.status for record in records if record not in failed} == {"ok"}
    keys = {record.key for record in records}
    assert len(records) == len(keys) == len(finished) == 12
    assert {record.key for record in store.read_records(tmp_path / "run")} == keys
    by_table = store.load(tmp_path / "run").groupby("table")["status"].agg(set).to_dict()
    assert by_table == {"wine": {"error"}, "table2-d4-5": {"ok"}}
    again, finished = run(suite, tmp_path / "run")
    assert {record.key for record in again} == keys
    assert {key for key, is_new in finished if is_new} == {record.key for record in failed}


def test_a_report_says_why_and_shows_the_table_of_a_seed_that_has_it(suite, tmp_path):
    run(suite, tmp_path / "run")
    write_report(tmp_path / "run", tmp_path / "report")
    page = (tmp_path / "report" / "tables.html").read_text()
    assert re.search("wine</a></th><td class=.n.>\u2013</td>.*<code>\u2013</code>", page)
    assert OUT_OF_REACH.partition("'")[0] in (tmp_path / "report" / "faults.html").read_text()
    both = suite.model_copy(update={"seeds": (10, 0)})
    run(both, tmp_path / "run")
    write_report(tmp_path / "run", tmp_path / "both")
    page = (tmp_path / "both" / "tables.html").read_text()
    assert re.search(r"wine</a></th><td class=\"n\">\d+</td>", page)


def test_what_a_run_would_take_and_an_export_tell_it_too(suite, tmp_path):
    folder = tmp_path / "runs" / "s"
    assert any(line.startswith("12 trials: 0 done") for line in estimate(suite, folder).as_lines(tmp_path, 1))
    run(suite, folder)  # which finds out what cannot be made
    lines = list(estimate(suite, folder).as_lines(tmp_path, 1))
    assert any(line.startswith("6 trials: 6 done") for line in lines)
    assert lines[-1].startswith(f"beside them, 6 trials that will fail: {OUT_OF_REACH}")
    said = []
    assert export(suite, tmp_path / "asked", on_task=said.append) == 1
    assert said[0].startswith(OUT_OF_REACH)
    assert said[1:] == ["table2-d4-5--distance--seed-10: written"]


def test_who_does_not_ask_for_it_gets_the_error(suite):
    with pytest.raises(InputError, match=OUT_OF_REACH):
        plan(suite)
