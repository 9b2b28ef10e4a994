"""Which trials of two runs are compared, and what refuses a comparison or fails it."""

import pytest

from xadbench.datasets import InputError


def test_a_trial_that_new_lacks_refuses_and_is_named(records, gate_of):
    check = gate_of(records, records[1:])
    assert [str(one) for one in check.not_comparable] == [
        "good: not in NEW (1 x: wine / forest / good, seed 0)"
    ]
    assert check.comparisons == ()
    allowed = gate_of(records, records[1:], allowed=frozenset({"missing"}))
    assert allowed.passed
    assert next(one for one in allowed.comparisons if one.explainer == "good").n_pairs == 11


def test_what_is_in_new_alone_is_a_note(records, gate_of):
    check = gate_of(records[1:], records)
    assert check.passed
    assert [one.kind for one in check.notices] == ["note"]


def test_a_new_failure_fails_and_is_named(records, changed, failed, gate_of):
    broken = changed(records, failed, table="wine", seed=0)
    check = gate_of(records, broken)
    assert not check.passed
    assert check.not_comparable == []
    assert [one.text for one in check.failures] == ["good: error: ValueError: <b>|"]
    assert gate_of(records, broken, allowed=frozenset({"new-failures"})).passed
    assert gate_of(broken, records).passed  # fixed
    assert gate_of(broken, broken).passed  # nothing new


def test_a_score_that_is_no_longer_defined_is_a_new_failure(records, changed, gate_of):
    undefined = changed(records, lambda record: record["scores"]["detected"].update(adjusted_ndcg_m=None))
    assert [one.text for one in gate_of(records, undefined).failures] == [
        "good: adjusted_ndcg_m is not defined"
    ]


def test_a_trial_without_a_value_that_fails_now_is_a_new_failure(records, changed, failed, gate_of):
    undefined = lambda record: record["scores"]["detected"].update(adjusted_ndcg_m=None)  # noqa: E731
    base = changed(records, undefined, table="wine", seed=1)
    check = gate_of(base, changed(base, failed, table="wine", seed=1))
    assert [one.kind for one in check.failures] == ["new-failures"]
    assert len(check.failures[0].trials) == 2  # detectors


def test_an_explainer_that_fails_everywhere_is_no_pass(records, changed, failed, gate_of):
    check = gate_of(records, changed(records, failed))
    assert not check.passed
    assert {one.explainer for one in check.comparisons} == {"poor_&co"}


def test_another_tables_content_refuses(records, changed, gate_of):
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
def test_components_of_other_versions_or_parameters_refuse(records, part, name, key, text, changed, gate_of):
    def change(record):
        made = record["components"][part][name]
        (made["params"] if key == "samples" else made)[key] = 9

    check = gate_of(records, changed(records, change))
    assert [one.text for one in check.not_comparable] == [text]
    assert gate_of(records, changed(records, change), allowed=frozenset({"other-versions"})).passed


def test_another_version_of_a_metric_refuses_where_it_is_compared(records, changed, gate_of):
    other = changed(records, lambda record: record["components"]["metrics"].update(acc_m=2))
    assert gate_of(records, other).passed
    check = gate_of(records, other, metrics=("adjusted_acc_m",))
    assert [one.text for one in check.not_comparable] == ["metric acc_m version: 1, now 2"]


def test_where_a_record_does_not_tell_its_components_another_key_refuses(records, changed, gate_of):
    def forget(record):
        record |= {"key": "other", "components": None}

    assert "another key" in gate_of(records, changed(records, forget)).not_comparable[0].text


def test_the_seed_of_a_component_is_no_parameter(records, changed, gate_of):
    def reseed(record):
        record["components"]["detector"]["forest"]["params"]["random_state"] = 5

    assert gate_of(records, changed(records, reseed)).passed


def test_runs_without_a_seed_in_common_are_paired_in_order_if_allowed(records, changed, gate_of):
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


def test_controls_are_not_compared(records, trial_record, gate_of):
    controls = [trial_record("wine", 0, "forest", "random"), trial_record("wine", 0, "forest", "truth")]
    assert gate_of(records + controls, records).passed


def test_a_later_record_of_a_trial_replaces_an_earlier_one(records, changed, lost, gate_of):
    assert not gate_of(records, records + changed(records, lost(0.05))).passed


def test_runs_with_nothing_in_common_are_refused(records, changed, gate_of):
    def rename(record):
        record["explainer"]["label"] += " anew"

    other = changed(changed(records, rename), rename, "poor_&co")
    with pytest.raises(InputError, match="no trial has a value in both runs"):
        gate_of(records, other)


def test_a_version_that_is_not_known_is_none(records, changed, gate_of):
    def forget(record):
        record["components"]["metrics"]["ndcg_m"] = None

    notices = gate_of(records, changed(records, forget)).notices
    assert "metric ndcg_m version: 1, now none" in {notice.text for notice in notices}
