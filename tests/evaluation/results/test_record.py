"""The record of a trial: what it takes, what it shares, and what it does not read."""

import math
import pickle

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.regression import compare
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import RECORD_VERSION, Numbers, TrialRecord, as_trial
from xadbench.evaluation.results.run_results import read_results


@pytest.fixture
def record(trial_record):
    return as_trial(trial_record("alpha", 0, "forest", "good"), "r")


def test_a_record_is_read_as_it_was_written(record, tmp_path):
    store.write_record(tmp_path, as_trial(record, "a record"))
    assert store.read_trial(tmp_path, record.key) == record


def test_numbers_without_a_value_are_none_and_counts_are_whole():
    numbers = Numbers({"acc_m": math.nan, "n_rows": 5, "ndcg_m": 0.5, "chance": None})
    assert dict(numbers) == {"acc_m": None, "n_rows": 5, "ndcg_m": 0.5, "chance": None}
    assert isinstance(numbers["n_rows"], int)
    assert Numbers({"n_rows": 1.5})["n_rows"] == 1.5  # where scores are tied at the cut of a scope
    assert pickle.loads(pickle.dumps(numbers)) == numbers  # noqa: S301  # as workers send it


def test_records_share_what_they_have_in_common(trial_record):
    one, other = (as_trial(trial_record("alpha", 0, "forest", name), "r") for name in ("good", "fair"))
    assert one.table is other.table
    assert one.detector is other.detector
    assert one.explainer is not other.explainer


def test_another_label_changes_no_other_record(record, trial_record):
    renamed = record.labelled("mine", "wine", "forest", "good")
    again = as_trial(trial_record("alpha", 0, "forest", "good"), "r")
    assert (renamed.table.label, renamed.table.origin) == ("mine", "wine")
    assert (record.table.label, again.table.label) == ("alpha", "alpha")


def test_an_unknown_key_is_named(trial_record):
    with pytest.raises(InputError, match="r: novelty: unknown key"):
        as_trial(trial_record("alpha", 0, "forest", "good") | {"novelty": 1}, "r")


def of_version(path, version):
    values = store.read_json(path)
    del values["version"]
    store.write_json(path, values | ({} if version is None else {"version": version}))


@pytest.mark.parametrize("version", [None, 1, RECORD_VERSION + 1])
def test_a_run_of_another_version_is_refused_in_one_line(small_suite, tmp_path, version):
    run_suite(small_suite, tmp_path)
    of_version(tmp_path / "run.json", version)
    for path in store.paths(tmp_path):
        of_version(path, version)
    for read in (
        read_results,
        lambda run: compare(str(run), str(run)),
        lambda run: run_suite(small_suite, run),
    ):
        with pytest.raises(InputError, match="made by another version of XADBench") as refusal:
            read(tmp_path)
        assert "\n" not in str(refusal.value)
        assert str(tmp_path) in str(refusal.value)


def test_the_fields_are_those_that_a_run_writes(small_suite, tmp_path):
    for record in run_suite(small_suite, tmp_path):
        assert isinstance(record, TrialRecord)
        assert set(store.read_json(tmp_path / "trials" / f"{record.key}.json")) <= set(
            TrialRecord.model_fields
        )
