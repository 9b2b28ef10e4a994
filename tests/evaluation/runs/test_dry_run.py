from collections import Counter

import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.results import store
from xadbench.evaluation.runs import timings
from xadbench.evaluation.runs.dry_run import Estimate, estimate
from xadbench.evaluation.suite.spec import Component


def with_times(run, elapsed, fitting):
    """Let the records of a run say that each trial, and each fitting, took so long."""
    for path in (run / "trials").iterdir():
        record = store.read_json(path)
        record["detector"]["fit_seconds"] = fitting
        store.write_json(path, record | {"elapsed_seconds": elapsed})


def test_without_a_past_shipped_timings_tell_and_nothing_is_written(small_suite, tmp_path):
    suite = small_suite.model_copy(update={"detectors": (Component(name="iforest"),)})
    found = estimate(suite, tmp_path / "runs" / "small")
    assert (found.n_trials, found.n_done, found.n_recorded) == (12, 0, 0)
    assert len(found.work) == 2 + 12
    assert 0 < found.seconds < 120
    assert not list(tmp_path.iterdir())


def test_the_shipped_timings_are_scaled_by_how_fast_this_machine_is(small_suite, tmp_path, monkeypatch):
    found = {}
    for seconds in (0.005, 0.01):
        monkeypatch.setattr(timings, "matmul_seconds", lambda seconds=seconds: seconds)
        found[seconds] = estimate(small_suite, tmp_path / "new").seconds
    assert found[0.01] == pytest.approx(2 * found[0.005])


def test_everything_that_is_registered_has_a_shipped_timing_and_anything_else_an_estimate():
    shipped = timings._shipped()
    assert shipped["fits"].keys() >= DETECTORS.keys() - {"distance"}
    assert shipped["trials"].keys() >= EXPLAINERS.keys() - {"faulty"}
    known = timings.Timings()
    assert known.seconds(None, Component(name="mine:D"), Component(name="mine:E")) > 0
    assert known.seconds(5000, Component(name="mine:D")) > 0


def test_the_lines_say_what_would_run_and_how_long_it_takes(small_suite, tmp_path, put_run):
    put_run(tmp_path / "past")
    with_times(tmp_path / "past", elapsed=60, fitting=600)
    first, *_, total, time = estimate(small_suite, tmp_path / "new").as_lines("r", 2)
    assert first == "table2-d10-5 / distance, seed 0: fit 0:10:00, 6 trials 0:06:00"
    assert total == "12 trials: 0 done in r, 12 left"
    assert time.startswith("time: about 0:16:00 on 2 worker(s)")
    detailed = list(estimate(small_suite, tmp_path / "new").as_lines("r", 2, is_verbose=True))
    assert "  z_score: 0:01:00" in detailed


def test_the_time_is_that_of_past_records_of_the_same_on_a_table_of_similar_size(
    small_suite, tmp_path, put_run
):
    put_run(tmp_path / "past")
    with_times(tmp_path / "past", elapsed=60, fitting=600)
    assert estimate(small_suite, tmp_path / "past") == Estimate(12, 12)
    found = estimate(small_suite, tmp_path / "new")
    assert (found.n_done, found.n_recorded, found.seconds) == (0, 12, 2 * (6 * 60 + 600))


@pytest.mark.parametrize(
    ("rows", "fit"), [(399, 600), (401, 600 * 401 / 200), (101, 600), (99, 600 * 99 / 200)]
)
def test_similar_is_up_to_twice_the_values_and_beyond_time_grows_as_they_do(
    small_suite, tmp_path, rows, fit, put_run
):
    put_run(tmp_path / "past")
    with_times(tmp_path / "past", elapsed=60, fitting=600)
    other = small_suite.tables[0].model_copy(update={"rows": rows})
    suite = small_suite.model_copy(update={"tables": (other,), "seeds": (5,)})
    work = estimate(suite, tmp_path / "new").work
    assert next(took for step, took in work.items() if step.explainer is None) == pytest.approx(fit)


def test_other_parameters_are_another_explainer_and_half_a_run_counts_as_half(small_suite, tmp_path):
    quiet, other = (Component(name="faulty", params={"fault": fault}) for fault in ("none", "no"))
    suite = small_suite.model_copy(update={"explainers": (quiet,)})
    run_suite(suite.model_copy(update={"seeds": (0,)}), tmp_path / "small")
    found = estimate(suite.model_copy(update={"explainers": (quiet, other)}), tmp_path / "small")
    assert (found.n_trials, found.n_done, found.n_recorded) == (14, 6, 6)


def test_what_failed_counts_as_left(small_suite, tmp_path):
    suite = small_suite.model_copy(update={"explainers": (Component(name="faulty"),)})
    assert Counter(record.status for record in run_suite(suite, tmp_path / "r"))["error"] == 2
    assert estimate(suite, tmp_path / "r").n_done == 10
