"""What is read of a run: its records, and what has not run."""

import re

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.regression import compare
from xadbench.evaluation.results import store
from xadbench.evaluation.results.ranking import boards
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
from xadbench.evaluation.results.run_results import NOT_RUN, read_results


def test_a_trial_without_a_record_is_said_not_to_have_run(small_run_folder, trial_record):
    for seed in (0, 1):
        key = trial_record("alpha", seed, "forest", "fair")["key"]
        (small_run_folder / "trials" / f"{key}.json").unlink()
    read = read_results(small_run_folder)
    lacking = read.trials[read.trials["status"] == NOT_RUN]
    assert len(lacking[lacking["explainer"] == "fair"]) == 2
    assert set(lacking["explainer"]) == {
        "fair",
        "oracle",
        "oracle_network",
        "inverted_truth",
    }  # these were never recorded
    assert {gap.explainer for gap in boards(read, n_resamples=1)[0].missing} == {"fair", "gappy"}


def test_a_suite_of_an_older_version_may_name_controls_and_asks_for_none_that_it_did_not_have(
    small_suite, tmp_path
):
    run_suite(small_suite.model_copy(update={"controls": False}), tmp_path)
    about = store.read_json(tmp_path / "run.json")
    del about["suite"]["controls"]
    store.write_json(tmp_path / "run.json", about)
    assert NOT_RUN not in set(read_results(tmp_path).trials["status"])
    about["suite"]["exclude"] = [{"explainer": "inverted_truth"}]
    store.write_json(tmp_path / "run.json", about)
    assert not read_results(tmp_path).knows_all


def test_an_unreadable_record_counts_as_not_run(small_run_folder, trial_record):
    key = trial_record("alpha", 0, "forest", "fair")["key"]
    (small_run_folder / "trials" / f"{key}.json").write_text("{", encoding="utf-8")
    trials = read_results(small_run_folder).trials
    assert (trials.loc[trials["explainer"] == "fair", "status"] == NOT_RUN).sum() == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"table": {"content_hash": "0"}}, "table.label: required, but not given"),
        ({"status": "well"}, "status: expected 'ok', "),
        ({"detector": None}, "detector: expected keys with their values"),
        ({"seed": "0"}, "seed: expected a whole number (given: '0')"),
        (
            {"scores": {"detected": {"acc_m": "much"}}},
            "scores.detected.acc_m: expected a number",
        ),
        ({"cost": {"fit": 3}}, "cost.fit: expected keys with their values"),
    ],
)
def test_a_record_that_lacks_a_part_is_named_with_its_key(small_run_folder, trial_record, change, fault):
    record = trial_record("alpha", 0, "forest", "fair")
    path = small_run_folder / "trials" / f"{record['key']}.json"
    store.write_json(path, record | change)
    with pytest.raises(InputError, match=re.escape(f"{path}: {fault}")):
        read_results(small_run_folder)
    with pytest.raises(InputError, match=re.escape(f"{path}: {fault}")):
        compare(str(small_run_folder), str(small_run_folder))


def test_a_later_record_of_a_trial_replaces_the_earlier_one(small_run_folder, trial_record):
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, status="error", reason="new", scores={})
    store.write_record(small_run_folder, as_trial(again, "a record"))
    read = read_results(small_run_folder)
    assert read.n_superseded == 1
    assert "new" in set(read.trials["reason"])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no run\.json"):
        read_results(tmp_path)
    store.write_json(tmp_path / "run.json", {"version": RECORD_VERSION, "suite": {}})
    with pytest.raises(InputError, match="no record"):
        read_results(tmp_path)


@pytest.mark.parametrize("known", ["fit", "explain"])
def test_memory_is_not_known_where_that_of_a_part_is_not(small_run_folder, trial_record, known):
    again = trial_record("alpha", 0, "forest", "fair", key="f" * 64, cost={known: {"peak_bytes": 1.0}})
    store.write_record(small_run_folder, as_trial(again, "a record"))
    trials = read_results(small_run_folder).trials.set_index("key")
    assert np.isnan(trials.loc["f" * 64, "peak_bytes"])
