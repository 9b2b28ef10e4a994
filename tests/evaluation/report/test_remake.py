"""What a report makes again from what a run says of itself: tables, rows and attributions."""

import numpy as np
import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.report.drawings import graph, margins
from xadbench.evaluation.report.remake import explain_again, remake
from xadbench.evaluation.results.artifacts import load_attributions
from xadbench.evaluation.results.table_summary import portray, read_summary
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec
from xadbench.evaluation.suite.tables import load_source


def test_a_table_made_again_is_shown_only_if_it_is_the_runs():
    spec = TableSpec(dataset="bundled:wine", inject={"ratio": 0.1})
    facts = {"seed": 0, "n_rows": 100, "n_features": 13, "content_hash": "0" * 64}
    reason = remake(spec, facts)
    assert isinstance(reason, str)
    assert "another one" in reason


def test_a_report_runs_no_code_that_a_run_names(tmp_path):
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef table(): ...\n")
    facts = {"seed": 0, "n_rows": 100, "n_features": 13, "content_hash": "0" * 64}
    reason = remake(TableSpec(dataset=f"{tmp_path}/mine.py:table"), facts)
    assert "cannot be made again: unknown data set" in reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("where", ["detector", "base of a detector", "explainer"])
def test_examples_made_again_run_no_code_that_a_run_names(tmp_path, where):
    code = f"{tmp_path}/mine.py:Made"
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Made: ...\n")
    detector, explainer = Component(name="gaussian"), Component(name="z_score")
    match where:
        case "detector":
            detector = Component(name=code)
        case "base of a detector":
            detector = Component(name="dsil_fixed", params={"base": [{"name": code}]})
        case "explainer":
            explainer = Component(name=code)
    source = load_source(TableSpec(recipe="table2-d10-5", rows=60), 0)
    assert explain_again(tmp_path, source, portray(source), detector, [explainer]) == {}
    assert not (tmp_path / "ran").exists()


def test_margins_and_graph_of_a_table_made_again():
    spec = TableSpec(recipe="table2-d10-5", rows=60)
    made = load_source(spec, 0)
    facts = {"seed": 0, "n_rows": 60, "n_features": 10, "content_hash": made.hash}
    source = remake(spec, facts)
    summary = portray(source)
    assert len(margins(summary)) == 10
    drawn = graph(summary)
    assert set(drawn["places"]) == set(source.network.nodes)
    assert len(drawn["edges"]) == source.network.number_of_edges()


def test_an_explainer_that_leaves_the_process_is_left_out(small_suite, tmp_path):
    source = load_source(small_suite.tables[0], 0)
    chosen = [Component(name="z_score"), Component(name="faulty", params={"fault": "exit"})]
    again = explain_again(tmp_path, source, portray(source), small_suite.detectors[0], chosen)
    assert set(again) == {"z_score"}


def test_attributions_made_again_are_those_that_a_run_keeps(tmp_path):
    suite = Suite.model_validate(
        {
            "name": "small",
            "tables": [{"recipe": "table2-d10-5", "rows": 200}],
            "detectors": ["gaussian"],
            "explainers": ["ecod", "kernel_shap"],
            "save": "attributions",
        }
    )
    records = {record.explainer.label: record for record in run_suite(suite, tmp_path)}
    source = load_source(suite.tables[0], 0)
    summary = read_summary(tmp_path, source.hash)
    chosen = [*suite.explainers, Component(name="oracle"), Component(name="tree_shap")]
    again = explain_again(tmp_path, source, summary, suite.detectors[0], chosen)
    assert set(again) == {"ecod", "kernel_shap", "oracle"}  # tree_shap does not suit it
    for name, attributions in again.items():
        kept = load_attributions(tmp_path, records[name].key).loc[[one.row for one in summary.examples]]
        assert list(attributions.index) == list(kept.index)
        np.testing.assert_allclose(attributions, kept)


def test_a_report_makes_again_what_was_not_kept_if_told_to(tmp_path):
    suite = Suite.model_validate(
        {
            "name": "small",
            "tables": [{"recipe": "table2-d10-5", "rows": 200}],
            "detectors": ["gaussian"],
            "explainers": ["z_score"],
        }
    )
    run_suite(suite, tmp_path)
    page = write_report(tmp_path, tmp_path / "plain").parent / "tables" / "001-table2-d10-5.html"
    text = page.read_text(encoding="utf-8")
    assert "Parents of each feature" in text
    assert "the run saved no attributions" in text
    page = write_report(tmp_path, tmp_path / "again", remade=True).parent / "tables" / "001-table2-d10-5.html"
    assert page.read_text(encoding="utf-8").count("nDCG_m of the row") == 5
