"""One frame of results: made of records, stored, read again, and taken from elsewhere."""

import os

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.results import store
from xadbench.evaluation.results.frame import TEXTS, as_frame, flatten, read_stored, write_frame
from xadbench.evaluation.results.leaderboard import leaderboard
from xadbench.evaluation.results.ranking import rank
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.results.requested import read_requested
from xadbench.evaluation.results.run_results import read_results

WORDS = ["scope", "kind", "metric"]


@pytest.fixture
def trials(records):
    more = {"status": "error", "reason": "x", "scores": {}, "scores_by_kind": {}, "scores_at_k": {}}
    return [as_trial(record, "r") for record in [*records, records[0] | more | {"seed": 7}]]


@pytest.fixture
def elsewhere():
    """Results of a paper: three explainers on three tables, nothing but what is needed."""
    level = {"a": 0.9, "b": 0.5, "c": 0.1}
    rows = [(f"t{i}", 0, "knn", name, of + 0.01 * i) for i in range(3) for name, of in level.items()]
    frame = pd.DataFrame(rows, columns=["table", "seed", "detector", "explainer", "value"])
    return frame.assign(scope="detected", metric="adjusted_ndcg_m")


def test_what_is_stored_is_what_was_flattened(trials, tmp_path):
    made = flatten(trials)
    write_frame(tmp_path / "a.parquet", trials * 30, {b"k": b"v"})  # of several row groups
    read, metadata = read_stored(tmp_path / "a.parquet", "results")
    assert metadata[b"k"] == b"v"
    assert len(read.trials) == 30 * len(made.trials)
    pd.testing.assert_frame_equal(read.trials.iloc[: len(made.trials)], made.trials)
    for name in made.scores:
        ours, theirs = made.scores[name], read.scores[name].iloc[: len(made.scores)]
        if name in WORDS:
            ours, theirs = ours.astype(object), theirs.astype(object)
        pd.testing.assert_series_equal(ours, theirs, check_index=False, check_dtype=False)


def test_a_tidy_table_is_flat_and_flattens_to_the_same(trials):
    made = flatten(trials)
    tidy = made.tidy()
    assert len(tidy) == len(made.means()) + 1  # the trial without a score
    again = as_frame(tidy)
    pd.testing.assert_frame_equal(again.trials, made.trials)
    pd.testing.assert_series_equal(
        again.means()["value"], made.means()["value"], check_index=False, check_dtype=False
    )


def test_later_trials_replace_earlier_ones(trials):
    last = trials[0].model_copy(update={"reason": "later"})
    frame = flatten([*trials, last]).latest()
    assert len(frame.trials) == len(trials)
    assert frame.trials["reason"].iloc[-1] == "later"
    assert frame.scores["trial"].max() == len(frame.trials) - 1


def test_results_made_elsewhere_are_ranked(elsewhere):
    board = leaderboard(elsewhere)
    assert board["explainer"].astype(str).tolist() == ["a", "b", "c"]
    assert board["adjusted_ndcg_m"].tolist() == pytest.approx([0.91, 0.51, 0.11])
    ranked = rank(elsewhere)
    assert ranked["rank"].tolist() == [1, 2, 3]
    assert (ranked["low"] < ranked["mean"]).all()


def test_the_lowest_is_best_where_that_is_the_direction(elsewhere):
    ranked = rank(elsewhere.assign(metric="infidelity"), "infidelity", higher_is_better=False)
    assert ranked["explainer"].tolist() == ["c", "b", "a"]
    assert (ranked["low"] < ranked["mean"]).all()
    assert (ranked["mean"] < ranked["high"]).all()


def test_an_explainer_with_a_gap_is_not_ranked(elsewhere):
    assert rank(elsewhere.drop(index=0))["explainer"].tolist() == ["b", "c"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": None}, "no column 'metric'; expected table, seed, detector, explainer, scope"),
        ({"table": 5}, "column 'table' has 5; expected text"),
        ({"value": np.inf}, "infinite"),
        ({"explainer": "a"}, "adjusted_ndcg_m of t0 / knn / a, seed 0 is there twice"),
    ],
)
def test_a_table_that_is_not_tidy_is_refused(elsewhere, change, message):
    for name, value in change.items():
        table = elsewhere.drop(columns=name) if value is None else elsewhere.assign(**{name: value})
        with pytest.raises(InputError, match=message):
            leaderboard(table)


def test_the_stored_frame_is_read_until_a_record_is_written(run_folder):
    records = store.read_records(run_folder)
    store.write_results(run_folder, records)
    for path in (run_folder / "trials").iterdir():  # unreadable, but of the same size and time
        before = path.stat()
        path.write_bytes(b"{" * before.st_size)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    frame, n_others = read_requested(run_folder)
    assert (len(frame.trials), n_others) == (len(records), 0)
    store.write_record(run_folder, records[0])
    frame, _ = read_requested(run_folder)
    assert len(frame.trials) == 1


def test_a_report_of_the_stored_frame_is_that_of_the_records(run_folder):
    before = read_results(run_folder)
    store.write_results(run_folder, store.read_records(run_folder))
    after = read_results(run_folder)
    names = ["table", "seed", "detector", "explainer"]
    for part in ("trials", "scores", "by_kind", "curves"):
        ours, theirs = getattr(before, part), getattr(after, part)
        by = [name for name in [*names, "scope", "kind", "metric"] if name in ours]
        ours, theirs = (of.sort_values(by, ignore_index=True) for of in (ours, theirs))
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_texts_stay_missing(trials):
    frame = flatten(trials)
    assert frame.trials.loc[:, TEXTS].isna().any().any()
    assert not (frame.trials == "None").any().any()
