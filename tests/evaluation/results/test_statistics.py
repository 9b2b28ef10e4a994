import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import wilcoxon
from statsmodels.stats.multitest import multipletests

from xadbench.datasets import InputError
from xadbench.evaluation.results.statistics import (
    common_grid,
    margins,
    means,
    pairwise,
    resampled_means,
    source_of,
    sources_of,
    ties,
)


def trials(*, n_tables=6, n_seeds=3, effects=(0.0, 0.1, 0.3), noise=0.05, scatter=0.0, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for t in range(n_tables):
        level = rng.normal(0, 0.3)
        own = rng.normal(effects, scatter)  # what the entries are worth on this table
        rows += [
            {"table": f"t{t}", "seed": s, "entry": f"e{i}", "value": level + effect + rng.normal(0, noise)}
            for s in range(n_seeds)
            for i, effect in enumerate(own)
        ]
    return pd.DataFrame(rows)


def grid(**options):
    return common_grid(trials(**options), "entry", "value").figures


def test_an_entry_with_a_gap_is_told_and_not_ranked():
    data = trials()
    data.loc[(data["entry"] == "e1") & (data["table"] == "t2") & (data["seed"] == 1), "value"] = np.nan
    data = data[~((data["entry"] == "e2") & (data["table"] == "t3") & (data["seed"] == 0))]
    found = common_grid(data, "entry", "value")
    assert found.missing == {"e1": [("t2", 1)], "e2": [("t3", 0)]}
    assert list(found.figures.columns) == ["e0"]
    assert len(found.figures) == 18


def test_a_table_without_any_value_makes_nobody_incomplete():
    data = trials()
    data.loc[data["table"] == "t2", "value"] = np.nan
    found = common_grid(data, "entry", "value")
    assert found.missing == {}
    assert found.empty == [("t2", 0), ("t2", 1), ("t2", 2)]
    assert len(found.figures) == 15


def test_a_trial_that_is_there_twice_is_refused():
    data = trials()
    with pytest.raises(InputError, match=r"\(table, seed, entry\) twice"):
        common_grid(pd.concat([data, data.iloc[:1]]), "entry", "value")


def test_the_mean_counts_overlapping_tables_as_one_source():
    values = grid(n_tables=3)
    own = means(values, source={"t0": "one", "t1": "one", "t2": "two"}.get)["mean"].sort_index()
    by_table = values.groupby(level="table").mean()
    expected = ((by_table.loc["t0"] + by_table.loc["t1"]) / 2 + by_table.loc["t2"]) / 2
    assert_allclose(own, expected)


def test_an_entry_may_be_called_as_a_source_is():
    values = grid(n_tables=1).rename(columns={"e0": "t0"})
    assert list(means(values).index) == list(means(grid(n_tables=1)).rename(index={"e0": "t0"}).index)


@pytest.mark.parametrize("n_tables", [2, 3, 5, 15])
def test_the_interval_holds_the_truth_as_often_as_it_says(n_tables):
    inside = 0
    for seed in range(100):
        values = grid(n_tables=n_tables, seed=seed, effects=(0.0, 0.2), scatter=0.2)
        lead = margins(values, "e1", n_resamples=300).loc["e0"]
        inside += lead["low"] <= 0.2 <= lead["high"]
    assert inside >= 87  # 95 expected


def test_one_source_has_no_interval():
    assert margins(grid(n_tables=1), "e2")[["low", "high"]].isna().all(axis=None)
    assert means(grid(n_tables=1))["mean"].notna().all()


def test_the_levels_of_the_tables_widen_a_mean_and_not_a_margin():
    values = grid(n_tables=10)
    widths = means(values)["high"] - means(values)["low"]
    lead = margins(values, "e2").loc["e1"]
    assert widths.min() > 3 * (lead["high"] - lead["low"])


def test_one_table_varies_by_its_seeds_alone():
    own, drawn = resampled_means(grid(n_tables=1, n_seeds=4), n_resamples=4000)
    values = grid(n_tables=1, n_seeds=4)
    assert_allclose(drawn.mean(axis=0), own.iloc[0], atol=0.005)
    assert_allclose(drawn.std(axis=0), values.std(ddof=0) / 2, rtol=0.1)


def test_resamples_repeat():
    assert means(grid()).equals(means(grid()))


def test_entries_come_best_first_with_their_mean_ranks():
    table = means(grid(effects=(0.0, 0.5, 1.0)))
    assert list(table.index) == ["e2", "e1", "e0"]
    assert list(table["rank"]) == [1, 2, 3]
    assert (table["low"] < table["mean"]).all()


def test_ranks_are_by_source_and_not_by_seed():
    rows = [("t1", seed, "a", 1.0) for seed in range(4)] + [("t1", seed, "b", 0.0) for seed in range(4)]
    rows += [("t2", 0, "a", 0.0), ("t2", 0, "b", 1.0)]
    values = common_grid(
        pd.DataFrame(rows, columns=["table", "seed", "entry", "value"]), "entry", "value"
    ).figures
    assert list(means(values)["rank"]) == [1.5, 1.5]


@pytest.mark.parametrize(
    ("table", "source"),
    [
        ("WBC", "Wisconsin breast cancer, original"),
        ("adbench:WBC", "Wisconsin breast cancer, original"),
        ("landsat-rows", "Landsat"),
        ("adbench:satellite + anomalies", "Landsat"),
        ("adbench:CIFAR10_3", "CIFAR10"),
        ("table2-d10-5", "table2-d10-5"),
    ],
)
def test_tables_that_share_rows_have_one_source(table, source):
    assert source_of(table) == source


def test_a_table_has_the_source_of_its_data_set_whatever_it_is_called():
    origins = {"mine": "adbench:landsat + anomalies", "other": "adbench:satellite", "old": None}
    source = sources_of(pd.DataFrame({"table": origins.keys(), "origin": origins.values()}))
    assert source("mine") == source("other") == "Landsat"
    assert source("old") == "old"
    assert sources_of(pd.DataFrame({"table": ["wine"]}))("adbench:wine") == "wine"


def test_tables_of_one_source_are_one_observation():
    values = grid(n_tables=9, effects=(0.0, 1.0))
    assert pairwise(values).loc["e0", "e1"] < 0.01
    assert pairwise(values, source=lambda table: str(int(table[1:]) % 4)).loc["e0", "e1"] == 0.125


def test_pairs_are_tested_by_table_and_adjusted_by_holm():
    values = grid(n_tables=8)
    by_table = values.groupby(level="table").mean()
    raw = {
        pair: wilcoxon(by_table[pair[0]], by_table[pair[1]]).pvalue
        for pair in [("e0", "e1"), ("e0", "e2"), ("e1", "e2")]
    }
    p = pairwise(values)
    smallest = min(raw, key=raw.get)
    assert p.loc[smallest] == pytest.approx(3 * raw[smallest])
    assert (np.diag(p) == 1).all()
    assert p.equals(p.T)


def test_equal_entries_cannot_be_distinguished():
    values = grid()
    values["e3"] = values["e0"]
    assert pairwise(values).loc["e0", "e3"] == 1


def test_ties_are_the_longest_runs_in_which_no_pair_differs():
    order = list("abcd")
    p = pd.DataFrame(1.0, index=order, columns=order)
    for a, b in ["ac", "ad", "bd"]:
        p.loc[a, b] = p.loc[b, a] = 0.01
    assert ties(p, order) == [["a", "b"], ["b", "c"], ["c", "d"]]
    p.loc["b", "d"] = p.loc["d", "b"] = 1
    assert ties(p, order) == [["a", "b"], ["b", "c", "d"]]
    p[:] = 0.0
    assert ties(p, order) == []


def test_an_empty_grid_is_refused():
    with pytest.raises(InputError, match="no entry has a value"):
        means(grid().iloc[:0])


def test_signed_ranks_at_once_are_those_of_each_pair():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 6))
    values[0, 1] = values[0, 0]  # a zero
    values[:, 3] = values[:, 2]  # equal
    values[:2, 4:] = [0, 1]  # a tie, of differences without rounding
    grid = pd.DataFrame(values, index=pd.MultiIndex.from_product([range(12), [0]], names=["table", "seed"]))
    pairs = list(itertools.combinations(range(6), 2))
    raw = [1.0 if (a, b) == (2, 3) else wilcoxon(values[:, a], values[:, b]).pvalue for a, b in pairs]
    adjusted = multipletests(raw, method="holm")[1]
    p = pairwise(grid, source=str)
    assert [p.loc[a, b] for a, b in pairs] == pytest.approx(adjusted)
