"""A folder may hold the trials of an earlier form of its suite: read are those that it asks for now."""

import dataclasses
import io

import pandas as pd
import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.regression.pairing import pair
from xadbench.evaluation.results import store
from xadbench.evaluation.results.requested import FILE, read_requested_records
from xadbench.evaluation.results.run_results import NOT_RUN, read_results
from xadbench.evaluation.results.stored_runs import read_run


def with_table(suite, **changes):
    return suite.model_copy(update={"tables": (suite.tables[0].model_copy(update=changes),)})


def labels(run):
    return set(read_results(run).trials["table"])


def test_trials_of_a_table_that_was_changed_are_left_out(small_suite, tmp_path, put_run):
    put_run(tmp_path)
    run_suite(with_table(small_suite, rows=250), tmp_path)
    results = read_results(tmp_path)
    assert len(results.trials) == results.n_superseded == 12
    assert set(results.trials["n_rows"]) == {250}
    assert len(read_run(str(tmp_path)).trials) == 2  # controls and random apart


def test_trials_that_were_dropped_are_left_out(small_suite, tmp_path, put_run):
    put_run(tmp_path)
    run_suite(small_suite.model_copy(update={"seeds": (1,)}), tmp_path)
    assert set(read_results(tmp_path).trials["seed"]) == {1}
    assert {seed for _, seed, *_ in read_run(str(tmp_path)).trials.index} == {1}


def test_trials_under_new_labels_have_run(small_suite, tmp_path, put_run):
    put_run(tmp_path)
    run_suite(with_table(small_suite, name="renamed"), tmp_path)
    assert labels(tmp_path) == {"renamed"}
    assert NOT_RUN not in set(read_results(tmp_path).trials["status"])
    assert read_run(str(tmp_path)).trials.index.unique("table").tolist() == ["renamed"]


def test_what_has_not_run_yet_is_not_run(tmp_path, put_run):
    put_run(tmp_path)
    next(store.paths(tmp_path)).unlink()
    assert (read_results(tmp_path).trials["status"] == NOT_RUN).sum() == 1


def test_tables_of_one_recipe_are_one_source_though_their_records_are_older(small_suite, tmp_path):
    run_suite(with_table(small_suite, name="mine"), tmp_path)
    for path in store.paths(tmp_path):
        record = store.read_json(path)
        del record["table"]["origin"]
        store.write_json(path, record)
    new = read_run(str(tmp_path))
    assert set(new.trials["origin"]) == {"table2-d10-5"}
    again = run_suite(with_table(small_suite, name="mine"), tmp_path)
    assert {record.table.origin for record in again} == {"table2-d10-5"}
    old = dataclasses.replace(new, trials=new.trials.assign(origin=None))
    for base, other in ((old, new), (new, old)):
        assert pair(base, other, ["adjusted_ndcg_m"], "detected").source("mine") == "table2-d10-5"


def other_columns():
    buffer = io.BytesIO()
    pd.DataFrame({"key": ["a"]}).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [None, b"no Parquet", other_columns()])
def test_of_a_run_that_does_not_say_what_it_was_asked_for_all_records_count(tmp_path, content, put_run):
    put_run(tmp_path)
    (tmp_path / FILE).unlink()
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    records, n_others = read_requested_records(tmp_path)
    assert len(records) == 12
    assert n_others == 0
