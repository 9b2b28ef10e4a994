from collections import Counter

import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.results import store
from xadbench.evaluation.runs.dry_run import Estimate, estimate
from xadbench.evaluation.suite.spec import Component


def with_times(run, elapsed, fitting):
    """Let the records of a run say that each trial, and each fitting, took so long."""
    for path in (run / "trials").iterdir():
        record = store.read_json(path)
        record["detector"]["fit_seconds"] = fitting
        store.write_json(path, record | {"elapsed_seconds": elapsed})


def test_without_a_past_the_time_is_unknown_and_nothing_is_written(small_suite, tmp_path):
    found = estimate(small_suite, tmp_path / "runs" / "small")
    assert found == Estimate(n_trials=10, n_done=0, n_unknown=10, seconds=0)
    assert list(found.as_lines("r", 1)) == [
        "10 trials: 0 done in r, 10 left",
        "time: unknown for 10, without a past record on a table of similar size",
    ]
    assert not list(tmp_path.iterdir())


def test_the_time_is_that_of_past_records_of_the_same_on_a_table_of_similar_size(
    small_suite, tmp_path, put_run
):
    put_run(tmp_path / "past")
    with_times(tmp_path / "past", elapsed=60, fitting=600)
    assert estimate(small_suite, tmp_path / "past") == Estimate(10, 10, 0, 0)
    found = estimate(small_suite, tmp_path / "new")
    assert found == Estimate(10, 0, 0, 2 * (5 * 60 + 600))
    assert (
        list(found.as_lines("r", 2))[1]
        == "time: about 0:15:00 for 10 of them on 2 worker(s), by past records"
    )


@pytest.mark.parametrize(("rows", "n_unknown"), [(399, 0), (401, 5), (101, 0), (99, 5)])
def test_similar_is_up_to_twice_the_values(small_suite, tmp_path, rows, n_unknown, put_run):
    put_run(tmp_path / "past")
    other = small_suite.tables[0].model_copy(update={"rows": rows})
    suite = small_suite.model_copy(update={"tables": (other,), "seeds": (5,)})
    assert estimate(suite, tmp_path / "new").n_unknown == n_unknown


def test_other_parameters_are_another_explainer_and_half_a_run_counts_as_half(small_suite, tmp_path):
    quiet, other = (Component(name="faulty", params={"fault": fault}) for fault in ("none", "no"))
    suite = small_suite.model_copy(update={"explainers": (quiet,)})
    run_suite(suite.model_copy(update={"seeds": (0,)}), tmp_path / "small")
    found = estimate(suite.model_copy(update={"explainers": (quiet, other)}), tmp_path / "small")
    assert (found.n_trials, found.n_done, found.n_unknown) == (12, 5, 2)


def test_what_failed_counts_as_left(small_suite, tmp_path):
    suite = small_suite.model_copy(update={"explainers": (Component(name="faulty"),)})
    assert Counter(record.status for record in run_suite(suite, tmp_path / "r"))["error"] == 2
    assert estimate(suite, tmp_path / "r").n_done == 8
