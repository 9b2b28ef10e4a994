"""The gate's verdicts, on records with known scores; how it bears noise is in test_noise.py."""

from itertools import product

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.regression import compare
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.stored_runs import of_records


def test_equal_runs_pass(records, gate_of, verdicts):
    check = gate_of(records, records)
    assert check.passed
    assert check.notices == ()
    assert set(verdicts(check)) == set(product(("good", "poor_&co"), ("adjusted_ndcg_m", "time")))
    assert set(verdicts(check).values()) == {"ok"}


@pytest.mark.parametrize(("loss", "verdict"), [(0.05, "worse"), (0.01, "ok"), (-0.05, "better")])
def test_a_loss_beyond_the_tolerance_is_worse_and_that_of_its_explainer_alone(
    records, loss, verdict, changed, lost, gate_of, verdicts
):
    check = gate_of(records, changed(records, lost(loss)))
    assert verdicts(check)["good", "adjusted_ndcg_m"] == verdict
    assert verdicts(check)["poor_&co", "adjusted_ndcg_m"] == "ok"
    (one,) = (one for one in check.comparisons if one.explainer == "good" and one.measure != "time")
    assert one.change == pytest.approx(-loss)
    assert (one.n_pairs, one.n_units) == (12, 3)  # tables, which the detectors share
    assert check.passed == (verdict != "worse")


def test_the_tolerance_is_the_callers(records, changed, lost, gate_of):
    assert gate_of(records, changed(records, lost(0.05)), tolerance=0.06).passed
    assert not gate_of(records, changed(records, lost(0.01)), tolerance=0.005).passed


@pytest.mark.parametrize(("change", "verdict"), [(-0.05, "worse"), (0.05, "better")])
def test_of_a_metric_whose_best_is_least_a_rise_is_the_loss(
    records, change, verdict, changed, lost, gate_of, verdicts
):
    check = gate_of(records, changed(records, lost(change, "infidelity")), metrics=("infidelity",))
    assert verdicts(check)["good", "infidelity"] == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [(1.5, "worse"), (1.2, "ok"), (0.5, "better")])
def test_a_slow_down_beyond_the_tolerance_is_worse(records, ratio, verdict, changed, slower, gate_of):
    check = gate_of(records, changed(records, slower(ratio)))
    (one,) = (one for one in check.comparisons if one.explainer == "good" and one.measure == "time")
    assert one.verdict == verdict
    assert one.change == pytest.approx(ratio)
    assert gate_of(records, changed(records, slower(ratio)), time_tolerance=None).passed


def test_times_below_a_kernel_unit_are_one(records, changed, slower, gate_of):
    quick = changed(records, slower(1e-4))
    assert gate_of(quick, changed(quick, slower(20))).passed
    assert not gate_of(quick, changed(quick, slower(1000))).passed


def test_a_loss_on_one_table_of_three_is_unclear(records, changed, lost, gate_of, verdicts):
    check = gate_of(records, changed(records, lost(0.3), table="wine"))
    assert verdicts(check)["good", "adjusted_ndcg_m"] == "unclear"
    assert check.passed


def test_more_comparisons_that_differ_make_wider_intervals(records, changed, lost, gate_of):
    rng = np.random.default_rng(0)
    noisy = changed(records, lambda record: lost(rng.normal(0.05, 0.02))(record))  # noqa: PLW0108  # drawn anew
    both = changed(noisy, lost(0.01), "poor_&co")
    one, two, three = (
        gate_of(records, new, time_tolerance=None, metrics=metrics).comparisons[0]
        for new, metrics in (
            (noisy, ("adjusted_ndcg_m",)),
            (both, ("adjusted_ndcg_m",)),
            (noisy, ("adjusted_ndcg_m", "infidelity", "adjusted_acc_m")),
        )
    )
    assert two.high - two.low > 1.2 * (one.high - one.low)
    assert (three.low, three.high) == (one.low, one.high)  # what does not differ takes no share


def test_the_scope_is_the_callers(records, changed, lost, gate_of):
    lower = changed(records, lost(0.05))
    assert gate_of(records, lower, scope="flagged").passed


def test_a_run_without_times_is_evaluated_without_them_and_says_so(records, gate_of):
    untimed = [record | {"normalised_time": None} for record in records]
    for both, run in [((untimed, records), "BASE"), ((records, untimed), "NEW")]:
        check = gate_of(*both)
        assert f"{run} has no times: none are evaluated" in [notice.text for notice in check.notices]


def test_times_of_results_that_the_package_ships_are_not_compared(records, changed, slower):
    slow = changed(records, slower(100))
    check = compare(
        of_records("shipped:quick", records, RunDescription()), of_records("new", slow, RunDescription())
    )
    assert check.passed
    assert {one.measure for one in check.comparisons} == {"adjusted_ndcg_m"}
    assert check.criteria.time_tolerance is None
    assert any("shipped:quick" in one.text and "times" in one.text for one in check.notices)


def test_a_single_table_is_evaluated_by_its_seeds(records, changed, lost, gate_of, verdicts):
    def alone(of):
        return [one for one in of if one["table"]["label"] == "wine" and one["detector"]["name"] == "forest"]

    check = gate_of(alone(records), alone(changed(records, lost(0.05))))
    assert {one.n_units for one in check.comparisons} == {2}
    assert verdicts(check)["good", "adjusted_ndcg_m"] == "worse"


def test_a_single_pair_is_evaluated_by_scores_which_repeat_and_not_by_times(
    records, changed, lost, slower, gate_of, verdicts
):
    new = changed(changed(records, lost(0.05)), slower(9))
    check = gate_of(records[:2], new[:2])
    assert verdicts(check) == {
        ("good", "adjusted_ndcg_m"): "worse",
        ("good", "time"): "unclear",
        ("poor_&co", "adjusted_ndcg_m"): "ok",
        ("poor_&co", "time"): "unclear",
    }
    other = [record | {"seed": 7} for record in new[:2]]
    with pytest.raises(InputError, match="a single pair of trials has no interval"):
        gate_of(records[:2], other, allowed=frozenset({"other-seeds"}))


def test_tables_of_one_source_are_one_observation(records, changed, gate_of):
    names = {"wine": "cardio", "a|b": "Cardiotocography", "<script>": "wine"}

    def rename(record):
        record["table"]["label"] = names[record["table"]["label"]]

    renamed = changed(changed(records, rename), rename, "poor_&co")
    units = {one.measure: one.n_units for one in gate_of(renamed, renamed).comparisons}
    assert units == {"adjusted_ndcg_m": 2, "time": 4}  # times under each detector


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"metrics": ("ndcg",)}, r"metric 'ndcg'.* acc_m"),
        ({"metrics": ()}, "metrics .*empty"),
        ({"metrics": ("adjusted_infidelity",)}, "infidelity.* chance"),
        (
            {"metrics": ("comprehensiveness",)},
            "base: .*comprehensiveness.* detected.* adjusted_acc_m",
        ),
        ({"scope": "all"}, "scope 'all'"),
        ({"tolerance": -0.1}, "tolerance.* -0.1.* 0"),
        ({"tolerance": float("nan")}, "tolerance.* nan"),
        ({"time_tolerance": 0.9}, "time tolerance.* 0.9.* 1"),
        ({"level": 1.0}, "level.* 1.0"),
        ({"level": 0.5}, "level.* 0.5"),
        ({"allowed": frozenset({"all"})}, "'all'"),
    ],
)
def test_wrong_terms_are_refused(records, criteria, message, gate_of):
    with pytest.raises(InputError, match=message):
        gate_of(records, records, **criteria)


def test_empty_metrics_are_refused_on_the_command_line_too(run_folder, xadbench):
    code, _, err = xadbench("compare", run_folder, run_folder, "--metrics", "")
    assert code == 2
    assert "metrics is empty" in err


def test_two_tables_of_one_source_with_one_seed_are_one_unit(records, changed, lost, gate_of):
    """They have no interval of their own: what repeats is a fact, and no seed is left to draw."""
    two = [
        record | {"table": record["table"] | {"origin": "wine"}}
        for record in records
        if record["seed"] == 0 and record["detector"]["label"] == "forest"
    ]
    assert gate_of(two, two).passed
    (worse,) = gate_of(two, changed(two, lost(0.05))).worse
    assert (worse.explainer, worse.n_units) == ("good", 1)
