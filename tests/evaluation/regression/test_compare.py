"""The gate's rules, on records with known scores; how it bears noise is in test_gate_noise.py."""

import json
from itertools import product
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.regression import Criteria, compare
from xadbench.evaluation.regression import rendering as output
from xadbench.evaluation.results.stored_runs import of_records


def changed(records, change, explainer="good", **where):
    """Return copies of the records; `change` alters those of an explainer."""
    copies = json.loads(json.dumps(records))
    for record in copies:
        of_part = {"table": record["table"]["label"], "seed": record["seed"]}
        if record["explainer"]["label"] == explainer and all(of_part[key] == where[key] for key in where):
            change(record)
    return copies


def lost(loss, metric="adjusted_ndcg_m"):
    def change(record):
        record["scores"]["detected"][metric] -= loss

    return change


def slower(ratio):
    def change(record):
        record["normalised_time"] *= ratio

    return change


def failed(record):
    record |= {"status": "error", "reason": "ValueError: <b>|", "scores": {}}


def gate_of(base, new, **criteria):
    return compare(of_records("base", base, {}), of_records("new", new, {}), Criteria(**criteria))


def verdicts(check):
    return {(one.explainer, one.measure): one.verdict for one in check.comparisons}


def test_equal_runs_pass(records):
    check = gate_of(records, records)
    assert check.passed
    assert check.notices == ()
    assert set(verdicts(check)) == set(product(("good", "poor_&co"), ("adjusted_ndcg_m", "time")))
    assert set(verdicts(check).values()) == {"ok"}


@pytest.mark.parametrize(("loss", "verdict"), [(0.05, "worse"), (0.01, "ok"), (-0.05, "better")])
def test_a_loss_beyond_the_tolerance_is_worse_and_that_of_its_explainer_alone(records, loss, verdict):
    check = gate_of(records, changed(records, lost(loss)))
    assert verdicts(check)["good", "adjusted_ndcg_m"] == verdict
    assert verdicts(check)["poor_&co", "adjusted_ndcg_m"] == "ok"
    (one,) = (one for one in check.comparisons if one.explainer == "good" and one.measure != "time")
    assert one.change == pytest.approx(-loss)
    assert (one.n_pairs, one.n_units) == (12, 6)
    assert check.passed == (verdict != "worse")


def test_the_tolerance_is_the_callers(records):
    assert gate_of(records, changed(records, lost(0.05)), tolerance=0.06).passed
    assert not gate_of(records, changed(records, lost(0.01)), tolerance=0.005).passed


@pytest.mark.parametrize(("change", "verdict"), [(-0.05, "worse"), (0.05, "better")])
def test_of_a_metric_whose_best_is_least_a_rise_is_the_loss(records, change, verdict):
    check = gate_of(records, changed(records, lost(change, "infidelity")), metrics=("infidelity",))
    assert verdicts(check)["good", "infidelity"] == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [(1.5, "worse"), (1.2, "ok"), (0.5, "better")])
def test_a_slow_down_beyond_the_tolerance_is_worse(records, ratio, verdict):
    check = gate_of(records, changed(records, slower(ratio)))
    (one,) = (one for one in check.comparisons if one.explainer == "good" and one.measure == "time")
    assert one.verdict == verdict
    assert one.change == pytest.approx(ratio)
    assert gate_of(records, changed(records, slower(ratio)), time_tolerance=None).passed


def test_times_below_a_kernel_unit_are_one(records):
    quick = changed(records, slower(1e-4))
    assert gate_of(quick, changed(quick, slower(20))).passed
    assert not gate_of(quick, changed(quick, slower(1000))).passed


def test_a_loss_on_one_table_of_three_is_unclear(records):
    check = gate_of(records, changed(records, lost(0.3), table="wine"))
    assert verdicts(check)["good", "adjusted_ndcg_m"] == "unclear"
    assert check.passed


def test_more_comparisons_that_differ_make_wider_intervals(records):
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


def test_the_scope_is_the_callers(records):
    lower = changed(records, lost(0.05))
    assert gate_of(records, lower, scope="flagged").passed


def test_a_trial_that_new_lacks_refuses_and_is_named(records):
    check = gate_of(records, records[1:])
    assert [str(one) for one in check.not_comparable] == [
        "good: not in NEW (1 x: wine / forest / good, seed 0)"
    ]
    assert check.comparisons == ()
    allowed = gate_of(records, records[1:], allowed=frozenset({"missing"}))
    assert allowed.passed
    assert next(one for one in allowed.comparisons if one.explainer == "good").n_pairs == 11


def test_what_is_in_new_alone_is_a_note(records):
    check = gate_of(records[1:], records)
    assert check.passed
    assert [one.kind for one in check.notices] == ["note"]


def test_a_new_failure_fails_and_is_named(records):
    broken = changed(records, failed, table="wine", seed=0)
    check = gate_of(records, broken)
    assert not check.passed
    assert check.not_comparable == []
    assert [one.text for one in check.failures] == ["good: error: ValueError: <b>|"]
    assert gate_of(records, broken, allowed=frozenset({"new-failures"})).passed
    assert gate_of(broken, records).passed  # fixed
    assert gate_of(broken, broken).passed  # nothing new


def test_a_score_that_is_no_longer_defined_is_a_new_failure(records):
    undefined = changed(records, lambda record: record["scores"]["detected"].update(adjusted_ndcg_m=None))
    assert [one.text for one in gate_of(records, undefined).failures] == [
        "good: adjusted_ndcg_m is not defined"
    ]


def test_a_trial_without_a_value_that_fails_now_is_a_new_failure(records):
    undefined = lambda record: record["scores"]["detected"].update(adjusted_ndcg_m=None)  # noqa: E731
    base = changed(records, undefined, table="wine", seed=1)
    check = gate_of(base, changed(base, failed, table="wine", seed=1))
    assert [one.kind for one in check.failures] == ["new-failures"]
    assert len(check.failures[0].trials) == 2  # detectors


def test_an_explainer_that_fails_everywhere_is_no_pass(records):
    check = gate_of(records, changed(records, failed))
    assert not check.passed
    assert {one.explainer for one in check.comparisons} == {"poor_&co"}


def test_another_tables_content_refuses(records):
    other = changed(
        records, lambda record: record["table"].update(content_hash="2" * 64), table="wine", seed=1
    )
    check = gate_of(records, other)
    assert [one.kind for one in check.not_comparable] == ["other-tables"]
    assert "wine, seed 1: content 111111111111, now 222222222222" in str(check.not_comparable[0])
    assert gate_of(records, other, allowed=frozenset({"other-tables"})).passed


@pytest.mark.parametrize(
    ("part", "name", "key", "text"),
    [
        ("detector", "forest", "version", "detector forest version: 1, now 9"),
        ("explainer", "good", "version", "explainer good version: 2, now 9"),
        ("explainer", "good", "library", "explainer good library: none, now 9"),
        ("explainer", "good", "samples", "explainer good samples: 10, now 9"),
    ],
)
def test_components_of_other_versions_or_parameters_refuse(records, part, name, key, text):
    def change(record):
        made = record["components"][part][name]
        (made["params"] if key == "samples" else made)[key] = 9

    check = gate_of(records, changed(records, change))
    assert [one.text for one in check.not_comparable] == [text]
    assert gate_of(records, changed(records, change), allowed=frozenset({"other-versions"})).passed


def test_another_version_of_a_metric_refuses_where_it_is_compared(records):
    other = changed(records, lambda record: record["components"]["metrics"].update(acc_m=2))
    assert gate_of(records, other).passed
    check = gate_of(records, other, metrics=("adjusted_acc_m",))
    assert [one.text for one in check.not_comparable] == ["metric acc_m version: 1, now 2"]


def test_where_a_record_does_not_tell_its_components_another_key_refuses(records):
    def forget(record):
        record |= {"key": "other", "components": None}

    assert "another key" in gate_of(records, changed(records, forget)).not_comparable[0].text


def test_a_run_without_times_is_evaluated_without_them_and_says_so(records):
    untimed = [record | {"normalised_time": None} for record in records]
    for both, run in [((untimed, records), "BASE"), ((records, untimed), "NEW")]:
        check = gate_of(*both)
        assert f"{run} has no times: none are evaluated" in [notice.text for notice in check.notices]


def test_times_of_results_that_the_package_ships_are_not_compared(records):
    slow = changed(records, slower(100))
    check = compare(of_records("shipped:quick", records, {}), of_records("new", slow, {}))
    assert check.passed
    assert {one.measure for one in check.comparisons} == {"adjusted_ndcg_m"}
    assert check.criteria.time_tolerance is None
    assert any("shipped:quick" in one.text and "times" in one.text for one in check.notices)


def test_the_seed_of_a_component_is_no_parameter(records):
    def reseed(record):
        record["components"]["detector"]["forest"]["params"]["random_state"] = 5

    assert gate_of(records, changed(records, reseed)).passed


def test_runs_without_a_seed_in_common_are_paired_in_order_if_allowed(records):
    other = changed(
        changed(records, lambda r: r.update(seed=r["seed"] + 5)),
        lambda r: r.update(seed=r["seed"] + 5),
        "poor_&co",
    )
    assert [str(one) for one in gate_of(records, other).not_comparable] == [
        "no seed in common; paired: 0 with 5, 1 with 6"
    ]
    check = gate_of(records, other, allowed=frozenset({"other-seeds"}))
    assert check.passed
    assert {(one.n_pairs, one.n_units) for one in check.comparisons} == {
        (12, 3)
    }  # tables; detectors share them


def test_a_single_table_is_evaluated_by_its_seeds(records):
    def alone(of):
        return [one for one in of if one["table"]["label"] == "wine" and one["detector"]["name"] == "forest"]

    check = gate_of(alone(records), alone(changed(records, lost(0.05))))
    assert {one.n_units for one in check.comparisons} == {2}
    assert verdicts(check)["good", "adjusted_ndcg_m"] == "worse"


def test_a_single_pair_is_evaluated_by_scores_which_repeat_and_not_by_times(records):
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


def test_tables_of_one_source_are_one_observation(records):
    names = {"wine": "cardio", "a|b": "Cardiotocography", "<script>": "wine"}

    def rename(record):
        record["table"]["label"] = names[record["table"]["label"]]

    renamed = changed(changed(records, rename), rename, "poor_&co")
    assert {one.n_units for one in gate_of(renamed, renamed).comparisons} == {4}


def test_controls_are_not_compared(records, trial_record):
    controls = [trial_record("wine", 0, "forest", "random"), trial_record("wine", 0, "forest", "truth")]
    assert gate_of(records + controls, records).passed


def test_a_later_record_of_a_trial_replaces_an_earlier_one(records):
    assert not gate_of(records, records + changed(records, lost(0.05))).passed


@pytest.fixture
def checks(records):
    """One of each outcome, with names that trip a reader up."""
    worse = changed(changed(records, lost(0.05)), slower(2), "poor_&co")
    return {
        "passed": gate_of(records, records),
        "failed": gate_of(records, changed(worse, failed, table="a|b", seed=0)),
        "not comparable": gate_of(records, records[1:]),
    }


@pytest.mark.parametrize("outcome", ["passed", "failed", "not comparable"])
def test_markdown_has_a_row_a_comparison_and_harmless_names(checks, outcome):
    text = output.as_markdown(checks[outcome])
    assert text.startswith(f"### XADBench gate {outcome}")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == (2 + len(checks[outcome].comparisons) if checks[outcome].comparisons else 0)
    assert {row.replace(r"\|", "").count("|") for row in rows} <= {9}
    outside_code = "".join(text.split("`")[::2]).replace("<sub>", "").replace("</sub>", "")
    assert "<" not in outside_code
    if outcome == "failed":
        assert "`good`" in rows[2]
        assert "**worse**" in rows[2]


@pytest.mark.parametrize("outcome", ["passed", "failed", "not comparable"])
def test_json_has_every_figure(checks, outcome):
    values = json.loads(json.dumps(output.as_json(checks[outcome])))
    assert values["outcome"] == outcome
    assert len(values["comparisons"]) == len(checks[outcome].comparisons)
    assert any(one["stops"] for one in values["notices"]) == (outcome != "passed")


def test_junit_has_a_test_a_comparison_and_one_for_what_stops(checks):
    counts = {}
    for outcome, check in checks.items():
        (suite,) = ET.fromstring(output.as_junit(check))  # noqa: S314  # written above
        counts[outcome] = tuple(int(suite.get(name)) for name in ("tests", "failures", "errors"))
        assert len(suite) == counts[outcome][0]
    assert counts == {"passed": (4, 0, 0), "failed": (5, 3, 0), "not comparable": (1, 0, 1)}


def test_junit_bears_characters_that_xml_has_not(records):
    def rename(record):
        record["explainer"]["label"] = "\x00\x1b[31m"

    renamed = changed(records, rename)
    (suite,) = ET.fromstring(output.as_junit(gate_of(renamed, renamed)))  # noqa: S314  # as above
    assert "??[31m" in {case.get("name") for case in suite}


def test_a_name_stays_in_its_cell_of_markdown(records):
    renamed = changed(records, lambda record: record["explainer"].update(label="a|b`<i>\n@all"))
    text = output.as_markdown(gate_of(renamed, renamed))
    assert text.count(r"| `` a\|b`<i>\n@all `` |") == 2


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"metrics": ("ndcg",)}, "unknown metric 'ndcg'.*; known: acc_m"),
        ({"metrics": ()}, "metrics is empty"),
        ({"metrics": ("adjusted_infidelity",)}, "infidelity has no chance level"),
        (
            {"metrics": ("comprehensiveness",)},
            "base: no comprehensiveness in scope detected; it has adjusted_acc_m",
        ),
        ({"scope": "all"}, "unknown scope 'all'"),
        ({"tolerance": -0.1}, "tolerance is -0.1; expected a number of at least 0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"time_tolerance": 0.9}, "time tolerance is 0.9; expected a ratio of at least 1"),
        ({"level": 1.0}, "level is 1.0; expected"),
        ({"level": 0.5}, "level is 0.5; expected"),
        ({"allowed": frozenset({"all"})}, "unknown allowance 'all'"),
    ],
)
def test_wrong_terms_are_refused(records, criteria, message):
    with pytest.raises(InputError, match=message):
        gate_of(records, records, **criteria)


def test_runs_with_nothing_in_common_are_refused(records):
    def rename(record):
        record["explainer"]["label"] += " anew"

    other = changed(changed(records, rename), rename, "poor_&co")
    with pytest.raises(InputError, match="no trial has a value in both runs"):
        gate_of(records, other)


def test_empty_metrics_are_refused_on_the_command_line_too(run_folder, xadbench):
    code, _, err = xadbench("compare", run_folder, run_folder, "--metrics", "")
    assert code == 2
    assert "metrics is empty" in err


def test_a_version_that_is_not_known_is_none(records):
    def forget(record):
        record["components"]["metrics"]["ndcg_m"] = None

    notices = gate_of(records, changed(records, forget)).notices
    assert "metric ndcg_m version: 1, now none" in {notice.text for notice in notices}
