"""Losses on a trial, table or detector: which are found, how often, and how often chance is taken for one.

The simulated noise is that of the bits alone, as measured on suite `quick` with four seeds under other
instruction sets (decision 11): an eighth of the rows changes, by 0.14 (the deviation over all rows is 0.05),
and a row of thirty at the cut is exchanged for another.
"""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets.rng import stream
from xadbench.evaluation.regression import Criteria, compare
from xadbench.evaluation.regression.pairing import Pairs
from xadbench.evaluation.regression.verdict import compare_pairs
from xadbench.evaluation.results import store
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.results.stored_runs import of_records

TABLES, DETECTORS, EXPLAINERS = ("a", "b", "c"), ("d", "e"), ("x", "y")
N_ROWS, N, N_RESAMPLES = 50, 20, 200
IDENTITY = ["table", "seed", "detector", "explainer"]
VALUE = "adjusted_ndcg_m"


def everywhere(trial):
    return 0.05


def more_on_some_tables(trial):
    return {"a": 0.02, "b": 0.05, "c": 0.08}[trial[0]]


def on_one_table(trial):
    return 0.3 * (trial[0] == "a")


def on_one_trial(trial):
    return 0.5 * (trial[:3] == ("a", 0, "d"))


def under_one_detector(trial):
    return 0.1 * (trial[2] == "d")


def nowhere(trial):
    return 0.0


def equal(rng, loss):
    return np.full(N_ROWS, loss)


def heterogeneous(rng, loss):
    """Return losses of rows: all of the score (0.6) of some, nothing of the others."""
    return 0.6 * (rng.random(N_ROWS) < loss / 0.6)


def noisy(rng, values, detected):
    changed = values + (rng.random(N_ROWS) < 1 / 8) * rng.normal(0, 0.14, N_ROWS)
    moved = detected.copy()
    moved[rng.choice(np.flatnonzero(detected))], moved[rng.choice(np.flatnonzero(detected == 0))] = 0, 1
    return np.minimum(changed, 1), moved


def simulated(rng, loss, of_rows, *, is_noisy=True, n_seeds=1):
    """Return the pairs of two runs, the second with a loss of explainer x."""
    cells, trials = {}, {}
    for trial in product(TABLES, range(n_seeds), DETECTORS, EXPLAINERS):
        before = np.clip(rng.normal(0.5, 0.4, N_ROWS), -1, 1)
        detected = np.r_[np.ones(N_ROWS - 10), np.zeros(10)]
        after = before - of_rows(rng, loss(trial) * (trial[3] == "x"))
        after, now = noisy(rng, after, detected) if is_noisy else (after, detected)
        scores = [np.average(before, weights=detected), np.average(after, weights=now)]
        cells[*trial, VALUE] = scores
        trials[trial] = [False, before, after, detected, now]
    columns = ["is_fact", *(f"row_{of}_{run}" for of in ("values", "detected") for run in ("base", "new"))]
    of_cells = pd.DataFrame.from_dict(cells, "index", columns=["base", "new"])
    of_cells.index = pd.MultiIndex.from_tuples(cells, names=[*IDENTITY, "measure"])
    of_trials = pd.DataFrame(
        list(trials.values()), pd.MultiIndex.from_tuples(trials, names=IDENTITY), columns
    )
    return Pairs(of_cells, True, (), of_trials)


def share_that_fails(loss, of_rows=equal, n=N, **size):
    """Return the share of n simulated comparisons that fail, by explainer x and by another."""
    rng = stream(0, "tests", "local", loss.__name__, of_rows.__name__)
    failing = []
    for _ in range(n):
        made = compare_pairs(simulated(rng, loss, of_rows, **size), Criteria(), N_RESAMPLES)
        worse = {one.explainer for one in made if one.verdict == "worse"}
        failing.append(("x" in worse, bool(worse - {"x"})))
    return np.mean(failing, axis=0)


@pytest.mark.parametrize("of_rows", [equal, heterogeneous])
@pytest.mark.parametrize("loss", [on_one_table, on_one_trial, under_one_detector])
def test_a_local_loss_is_found_by_three_tables(loss, of_rows):
    assert share_that_fails(loss, of_rows)[0] >= 0.95


@pytest.mark.parametrize("loss", [everywhere, more_on_some_tables])
@pytest.mark.parametrize(("of_rows", "n_seeds"), [(equal, 1), (heterogeneous, 3)])
def test_a_small_loss_of_some_rows_takes_more_of_them(loss, of_rows, n_seeds):
    assert share_that_fails(loss, of_rows, n_seeds=n_seeds)[0] >= 0.95


def test_honest_runs_seldom_differ():
    assert share_that_fails(nowhere, n=60).max() <= 0.05


def with_rows(trial_record):
    rng = np.random.default_rng(0)
    records = []
    for table, detector, explainer in product(TABLES, ("forest", "lof"), ("good", "poor_&co")):
        record = trial_record(table, 0, detector, explainer)
        rows = np.clip(rng.normal(0.5, 0.3, N_ROWS), -1, 1).round(6)
        record["row_scores"] = {VALUE: rows.tolist(), "detected": [1.0] * N_ROWS}
        record["scores"]["detected"][VALUE] = float(rows.mean())
        records.append(record)
    return records


def loses(loss, **where):
    """Return a function of records: copies in which explainer `good` lost it on that part."""

    def change(records):
        copies = json.loads(json.dumps(records))
        for record in copies:
            place = {"table": record["table"]["label"], "detector": record["detector"]["label"]}
            if record["explainer"]["label"] == "good" and all(place[name] == where[name] for name in where):
                rows = record["row_scores"][VALUE]
                record["row_scores"][VALUE] = [-1.0 if loss is None else one - loss for one in rows]
                record["scores"]["detected"][VALUE] = float(np.mean(record["row_scores"][VALUE]))
        return copies

    return change


DISASTERS = {
    "a table at -1": loses(None, table="a"),
    "0.3 on a table": loses(0.3, table="a"),
    "0.5 on a trial": loses(0.5, table="a", detector="lof"),
    "0.1 under a detector": loses(0.1, detector="lof"),
    "0.05 everywhere": loses(0.05),
}
HERE = {
    "versions": {"numpy": "2"},
    **dict.fromkeys(("platform", "cpu"), "p"),
    "threads": 1,
    "blas_versions": ["1"],
    "instructions": ["Zen"],
}


def check_of(base, new, there=HERE, **criteria):
    runs = of_records("base", base, RunDescription(**HERE)), of_records("new", new, RunDescription(**there))
    return compare(*runs, Criteria(time_tolerance=None, **criteria), n_resamples=N_RESAMPLES)


@pytest.mark.parametrize("there", [HERE, HERE | {"instructions": ["Haswell"]}])
@pytest.mark.parametrize("disaster", DISASTERS)
def test_local_disasters_fail_and_are_named(trial_record, disaster, there):
    records = with_rows(trial_record)
    check = check_of(records, DISASTERS[disaster](records), there)
    assert not check.passed
    assert {one.explainer for one in check.worse} == {"good"}
    assert {one.is_fact for one in check.parts} == {there == HERE}
    notes = " ".join(map(str, check.notices))
    assert ("should repeat" in notes and "good on a / " in notes) == (there == HERE)


def test_where_nothing_changed_a_small_difference_is_named_and_passes(trial_record):
    records = with_rows(trial_record)
    check = check_of(records, loses(0.001, table="b", detector="lof")(records))
    assert check.passed
    (note,) = check.notices
    assert note.trials == ("good on b / seed 0 / lof: adjusted_ndcg_m -0.001",)
    assert check_of(records, records).notices == ()


def test_a_trial_of_few_rows_cannot_fail_and_the_check_says_so(trial_record):
    records = with_rows(trial_record)
    for record in records:
        record["row_scores"] = {name: of[:4] for name, of in record["row_scores"].items()}
        record["scores"]["detected"][VALUE] = float(np.mean(record["row_scores"][VALUE]))
    new = loses(0.5, table="a", detector="lof")(records)
    check = check_of(records, new, HERE | {"cpu": "other"})
    (trial,) = (one for one in check.unclear if one.level == "trial")
    assert (trial.where, trial.n_units) == ("a / seed 0 / lof", 4)
    assert np.isnan(trial.smallest)
    assert check.passed
    assert not check_of(records, new, HERE | {"cpu": "other"}, unclear="fail").passed


def test_without_scores_of_rows_a_local_loss_is_unclear_and_the_check_says_why(trial_record):
    records = with_rows(trial_record)
    new = DISASTERS["0.3 on a table"](records)
    for record in new:
        del record["row_scores"]
    check = check_of(records, new, HERE | {"cpu": "other"})
    assert {one.level for one in check.unclear} >= {"trial", "table"}
    assert any("scores of rows" in one.text for one in check.notices)


def test_the_command_line_fails_on_what_is_unclear_if_told_to(trial_record, xadbench, tmp_path):
    records = with_rows(trial_record)
    for folder, of in (("base", records), ("new", loses(0.3, table="a")(records))):
        for i, record in enumerate(of):
            own = {name: record[name] for name in record if name != "row_scores"} | {"key": f"{i:064d}"}
            store.write_record(tmp_path / folder, as_trial(own, "a record"))
    arguments = ("compare", tmp_path / "base", tmp_path / "new", "--no-time")
    assert xadbench(*arguments)[0] == 0
    code, out, _ = xadbench(*arguments, "--unclear", "fail")
    assert code == 1
    assert "on table a" in out
    code, _, err = xadbench(*arguments, "--unclear", "maybe")
    assert code == 2
    assert "pass" in err
    assert "fail" in err


def test_rows_of_other_seeds_are_not_paired(trial_record):
    records = with_rows(trial_record)
    other = [record | {"seed": 5} for record in records]
    check = check_of(records, other, allowed=frozenset({"other-seeds"}))
    assert check.parts == ()
    assert any("other seeds" in one.text for one in check.notices)
