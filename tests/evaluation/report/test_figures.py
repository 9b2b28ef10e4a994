"""What figures of a report show: curves, examples and graphs."""

import dataclasses

import pytest

from xadbench.evaluation.metrics import set_sizes
from xadbench.evaluation.report.curves import curves
from xadbench.evaluation.report.drawings import MOST_NODES, graph
from xadbench.evaluation.report.examples import examples
from xadbench.evaluation.results.artifacts import load_attributions
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.table_summary import TableSummary, read_summary


def test_curves_are_means_over_the_cells_that_all_have(results):
    forest = next(of for of in curves(results) if of.detector == "forest")
    assert forest.metric == "faithfulness"
    assert forest.n_cells == 6
    assert set(forest.missing) == {
        "gappy",
        "inverted_truth",
        "oracle",
        "oracle_network",
    }  # skipped, or never run
    assert list(forest.means.index)[:2] == ["truth", "good"]
    own = results.scores.query("detector == 'forest' and explainer == 'good' and scope == 'detected'")
    assert forest.means.loc["good"].iloc[0] == pytest.approx(own[VALUE].mean())
    assert forest.means.loc["good"].iloc[-1] == pytest.approx(own[VALUE].mean() - 0.3)


def test_curves_of_tables_of_one_width_are_by_number_of_features(results):
    trials = results.trials.assign(n_features=5)
    same = dataclasses.replace(results, trials=trials)
    assert next(curves(same)).places == [f"k = {k}" for k in set_sizes(5)]


def test_examples_show_truth_and_attribution_side_by_side(finished_run, trial_record):
    summary = read_summary(finished_run, "0" * 64)
    attributions = {
        name: load_attributions(finished_run, trial_record("alpha", 0, "forest", name)["key"])
        for name in ("good", "fair")
    }
    shown = examples(summary, attributions)
    assert [example.detected for example in shown] == [1, 0, 1]
    assert [example.ndcg_m for example in shown[:2]] == [[1.0, 0.0]] * 2
    first = shown[0].features[0]
    assert (first.name, first.value, first.clean, first.is_true) == ("<i>x0</i>", 3.0, 0.5, True)
    assert first.attributions == [1.0, 0.0]
    assert len(shown[0].features) == 8


def test_a_large_graph_is_told_and_not_drawn():
    nodes = [f"x{i}" for i in range(MOST_NODES + 1)]
    drawn = graph(
        TableSummary(features=nodes, graph={"nodes": nodes, "edges": [["x0", "x1"]]}, margins=[], examples=[])
    )
    assert not drawn["places"]
    assert drawn["parents"]["x1"] == ["x0"]
