"""Boards: who is ranked, over which cells, and who is missing."""

import numpy as np
import pandas as pd
import pytest

from xadbench.evaluation.results import store
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.ranking import board, boards
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.results.run_results import COSTS, read_results


def cells(scores, **more):
    """Return a row each (table, seed 0, explainer) with the given scores by explainer, a table each."""
    rows = [
        {"table": f"t{i}", "seed": 0, "explainer": name, VALUE: score, "is_reference": False, "status": "ok"}
        for name, values in scores.items()
        for i, score in enumerate(values)
    ]
    blank = ("adjusted_acc_m", "ndcg_m", "acc_m", "chance", "seconds", "normalised_time", "auc_roc", *COSTS)
    return pd.DataFrame(rows).assign(reason=None, **dict.fromkeys(blank, 0.5), **more)


def test_an_entry_with_gaps_is_named_with_reasons_and_not_ranked(made):
    first = made[0]
    assert list(first.ranked.index) == ["good", "fair", "poor_&co"]
    (gap,) = first.missing
    assert (gap.explainer, gap.n_missing, gap.n_cells) == ("gappy", 4, 6)
    assert "skipped: needs a gradient (2 x)" in gap.reasons
    assert "error: ValueError: <b> (2 x)" in gap.reasons


def test_means_are_over_the_cells_that_all_ranked_entries_share(made, results):
    first = made[0]
    names = [len(name) for name in results.trials["table"].unique()]
    assert first.ranked.loc["good", "mean"] == pytest.approx(0.8 + 0.002 * np.mean(names) + 0.005)
    assert first.ranked["rank"].tolist() == [1, 2, 3]
    assert (first.ranked["low"] <= first.ranked["mean"]).all()
    assert (first.ranked["mean"] <= first.ranked["high"]).all()


def test_controls_are_not_ranked(made):
    first = made[0]
    assert set(first.references.index) == {"random", "truth"}
    assert first.references["n"].tolist() == [6, 6]


def test_there_is_a_board_for_each_scope_width_and_detector(made):
    assert len({(one.scope, one.d, one.detector) for one in made if one.kind is None}) == 3 * 3 * 2
    assert len({(one.scope, one.d, one.detector, one.kind) for one in made if one.kind}) == 2 * 3 * 2 * 2
    assert not any(one.kind and one.scope == "flagged" for one in made)


def test_cells_where_nobody_has_a_value_are_named():
    scores = cells({"a": [0.1, 0.2, np.nan], "b": [0.3, 0.4, np.nan]})
    made = board(scores, "detected", "forest")
    assert made.n_cells == 2
    assert made.left_out.startswith("t2 (seed 0): not defined: no explained row")


def test_an_entry_without_any_value_is_missing_and_not_forgotten():
    made = board(cells({"a": [0.1, 0.2], "b": [np.nan, np.nan]}), "detected", "forest")
    assert [(gap.explainer, gap.n_missing) for gap in made.missing] == [("b", 2)]


def test_a_board_without_any_value_has_only_missing_entries():
    made = board(cells({"a": [np.nan], "b": [np.nan]}), "detected", "forest")
    assert made.ranked.empty
    assert [gap.explainer for gap in made.missing] == ["a", "b"]


def test_what_cannot_be_told_from_the_best_is_marked():
    level = np.linspace(0.4, 0.6, 12)
    noise = 0.01 * np.where(np.arange(12) % 2, 1, -1) * np.arange(1, 13)
    made = board(cells({"best": level + 0.001, "near": level + noise, "far": level - 0.3}), "detected", "x")
    assert made.can_differ
    tied = made.ranked["tied"]
    assert tied.drop(made.ranked.index[0]).to_dict() == {made.ranked.index[1]: True, "far": False}


def test_few_tables_are_said_to_tell_nothing_apart():
    made = board(cells({"a": [0.9] * 5, "b": [0.1] * 5}), "detected", "forest")
    assert not made.can_differ
    assert made.ranked["tied"].tolist() == [False, True]


def test_a_kind_has_a_board_of_its_own_scores(made):
    by_kind = {
        one.kind: one for one in made if (one.scope, one.detector, one.d) == ("detected", "forest", None)
    }
    assert set(by_kind) == {None, "global", "<b>local</b>"}
    good = {kind: one.ranked.loc["good", "mean"] for kind, one in by_kind.items()}
    assert good["global"] == pytest.approx(good[None])
    assert good["<b>local</b>"] == pytest.approx(good[None] - 0.3)


def test_records_without_scores_by_kind_are_said_to_be_older(run_folder, trial_record):
    for seed in (0, 1):
        old = trial_record("alpha", seed, "forest", "fair")
        del old["scores_by_kind"]
        store.write_record(run_folder, as_trial(old, "a record"))
    made = boards(read_results(run_folder), n_resamples=1)
    first, of_kind = made[0], next(one for one in made if one.kind == "global")
    assert "fair" in first.ranked.index
    (gap,) = (gap for gap in of_kind.missing if gap.explainer == "fair")
    assert (gap.n_missing, gap.n_cells) == (2, 6)
    assert "an older record" in gap.reasons


def test_one_source_alone_tells_no_entries_apart():
    made = board(cells({"a": [0.9], "b": [0.1]}), "detected", "forest")
    assert made.n_sources == 1
    assert not made.can_differ
    assert made.ranked["tied"].to_dict() == {"a": False, "b": True}
    assert made.groups == [["a", "b"]]


def test_an_interval_ends_where_the_score_does():
    made = board(cells({"a": [0.99, 0.5], "b": [0.1, 0.2]}), "detected", "forest")
    assert made.ranked.loc["a", "high"] == 1
    assert made.ranked.loc["a", "low"] < 0
