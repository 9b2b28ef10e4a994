"""The gate's outcome as Markdown, JSON and JUnit."""

import json
from xml.etree import ElementTree as ET

import pytest

from xadbench.evaluation.regression import rendering as output


@pytest.fixture
def checks(records, changed, lost, slower, failed, gate_of):
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


def test_junit_bears_characters_that_xml_has_not(records, changed, gate_of):
    def rename(record):
        record["explainer"]["label"] = "\x00\x1b[31m"

    renamed = changed(records, rename)
    (suite,) = ET.fromstring(output.as_junit(gate_of(renamed, renamed)))  # noqa: S314  # as above
    assert "??[31m" in {case.get("name") for case in suite}


def test_a_name_stays_in_its_cell_of_markdown(records, changed, gate_of):
    renamed = changed(records, lambda record: record["explainer"].update(label="a|b`<i>\n@all"))
    text = output.as_markdown(gate_of(renamed, renamed))
    assert text.count(r"| `` a\|b`<i>\n@all `` |") == 2
