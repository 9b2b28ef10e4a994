import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.reproduction.comparison import compare, complete_datasets, mean_ranks, summarise
from xadbench.evaluation.reproduction.published_figures import (
    available,
    find_datasets,
    published,
    published_datasets,
)
from xadbench.evaluation.reproduction.tables import comparison_cells

NAN = float("nan")


def cell(dataset, method, seed, value):
    reason = None if value is not None else "RuntimeError: no"
    return {
        "dataset": dataset,
        "method": method,
        "seed": seed,
        "status": "ok" if reason is None else "error",
        "reason": reason,
        "auc_roc": value,
    }


PUBLISHED = pd.DataFrame(
    [
        ("a", "m", 0.80, 0.01),
        ("a", "n", 0.60, 0.05),
        ("a", "best", 0.9, 0.0),
        ("b", "m", 0.5, 0.1),
        ("c", "m", 1, 0),
    ],
    columns=["dataset", "method", "mean", "std"],
)
RECORDS = [
    cell("b", "m", 0, 0.4),
    cell("b", "m", 1, None),
    cell("b", "n", 0, 0.9),
    cell("b", "n", 1, 0.9),
    cell("a", "m", 0, 0.82),
    cell("a", "m", 1, 0.84),
    cell("a", "n", 0, 0.70),
    cell("a", "n", 1, 0.70),
]


@pytest.fixture
def board():
    return compare(RECORDS, "auc_roc", PUBLISHED).set_index(["dataset", "method"])


def test_rows_are_by_data_set_in_the_order_of_the_run(board):
    assert list(board.index) == [("b", "m"), ("b", "n"), ("a", "m"), ("a", "n"), ("a", "best")]


def test_ours_less_published_and_whether_it_is_within_two_deviations(board):
    row = board.loc["a", "m"]
    assert (row["ours"], row["ours_std"]) == (pytest.approx(0.83), pytest.approx(0.01))
    assert row["difference"] == pytest.approx(0.03)
    assert row["inside"] is False
    assert board.loc[("a", "n"), "inside"] is True
    assert board.loc[("b", "n"), "inside"] is None


def test_a_failed_seed_leaves_no_mean(board):
    row = board.loc["b", "m"]
    assert np.isnan([row["ours"], row["ours_std"], row["difference"]]).all()
    assert (row["seeds"], row["reason"], row["inside"]) == ("1/2", "RuntimeError: no", None)


def test_the_edge_of_two_deviations_is_inside():
    def inside(value):
        return compare([cell("a", "m", 0, value)], "auc_roc", PUBLISHED)["inside"][0]

    assert inside(0.8249)  # 0.82 as published figures are rounded
    assert not inside(0.8251)
    assert inside(0.78)


def test_means_and_ranks_are_over_complete_data_sets(board):
    whole = board.reset_index()
    assert complete_datasets(whole) == ["a"]
    summary = summarise(whole).set_index("method")
    assert list(summary.index) == ["m", "n", "best"]
    assert list(summary["ours"]) == [
        pytest.approx(0.83),
        pytest.approx(0.70),
        pytest.approx(NAN, nan_ok=True),
    ]
    assert list(summary["published"]) == [0.80, 0.60, 0.90]
    assert list(summary.loc[["m", "n"], "rank"]) == [1, 2]
    assert list(summary["inside"]) == ["0/1", "1/1", ""]
    assert set(summary["datasets"]) == {1}


def test_nothing_complete_gives_no_mean():
    whole = compare(RECORDS[:4], "auc_roc", PUBLISHED)
    assert complete_datasets(whole) == []
    assert summarise(whole).empty


def test_ties_share_their_mean_rank():
    figures = pd.DataFrame({"m": [0.9, 0.5], "n": [0.9, 0.7], "o": [0.1, 0.7]})
    assert list(mean_ranks(figures)) == [(1.5 + 3) / 2, 1.5, (3 + 1.5) / 2]


def test_a_table_says_what_is_missing(board):
    cells = comparison_cells(board.reset_index()).to_numpy().tolist()
    assert cells[0] == ["b", "m", "-", "1/2", "0.50±0.10", "-", "-"]
    assert cells[2] == ["a", "m", "0.830±0.010", "2/2", "0.80±0.01", "+0.030", "no"]


@pytest.mark.parametrize(
    ("name", "n_datasets", "n_methods"),
    [("table1_auc_roc", 46, 7), ("supplement_f1", 46, 4), ("figure1_unsupervised_auc_roc", 47, 26)],
)
def test_published_figures_come_with_the_package(name, n_datasets, n_methods):
    frame = published(name)
    assert (frame["dataset"].nunique(), frame["method"].nunique()) == (n_datasets, n_methods)
    assert frame["mean"].between(0, 1).all()
    assert set(published_datasets()) <= set(frame["dataset"])


def test_figures_are_those_published():
    frame = published("table1_auc_roc").set_index(["dataset", "method"])
    assert tuple(frame.loc["breastw", "dte_unsupervised"]) == (0.92, 0.01)
    frame = published("figure1_unsupervised_auc_roc").set_index(["dataset", "method"])
    assert tuple(frame.loc["Cardiotocography", "DTE-C"]) == pytest.approx((0.5103, 0.027))


def test_names_may_be_written_in_any_case_but_must_be_known():
    assert find_datasets(["pageblocks", "WBC"]) == ["PageBlocks", "WBC"]
    with pytest.raises(InputError, match=r"unknown data set of the paper 'magic\.gamma'.*; known: ALOI, "):
        find_datasets(["magic.gamma"])


def test_the_smallest_that_are_there_are_found_without_a_look_at_larger_ones():
    looked_at = []

    def find(name):
        looked_at.append(name)
        if name == "Lymphography":
            raise InputError("no such file")

    names = ["mammography", "WBC", "breastw", "Lymphography", "Wilt"]
    assert available(names, 2, find) == (["WBC", "breastw"], {"Lymphography": "no such file"})
    assert looked_at == ["WBC", "Lymphography", "breastw"]
    assert available(names, None, find)[0] == ["mammography", "WBC", "breastw", "Wilt"]
