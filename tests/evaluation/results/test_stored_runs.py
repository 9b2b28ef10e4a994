"""What the gate takes for a run, and what it refuses."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.regression import Criteria, compare
from xadbench.evaluation.regression.baselines import save_baseline
from xadbench.evaluation.results import store
from xadbench.evaluation.results.frame import tidy
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.results.stored_runs import Run, of_records, of_tidy, read_run


def test_a_run_is_the_same_whatever_holds_it(records, tmp_path):
    for i, record in enumerate(records):
        store.write_record(tmp_path / "run", as_trial(record | {"key": f"{i:064d}"}, "a record"))
    store.write_results(tmp_path / "run", store.read_records(tmp_path / "run"))
    benchmark = {"benchmarks": [{"extra_info": {}}, {"extra_info": {"xadbench": {"records": records}}}]}
    (tmp_path / "bench.json").write_text(json.dumps(benchmark))
    (tmp_path / "only").mkdir()
    shutil.copy(tmp_path / "run" / "results.parquet", tmp_path / "only")
    places = ["run", "run/results.parquet", "only", "bench.json"]
    runs = [read_run(str(tmp_path / place)) for place in places]
    for run in runs[1:]:
        check = compare(runs[0], run, Criteria(allowed=frozenset({"other-versions"})))
        assert [one.change for one in check.comparisons] == [0, 0, 1, 1]
        pd.testing.assert_frame_equal(
            *(
                one.scores.astype(dict.fromkeys([*one.scores][:-1], object)).sort_values(
                    [*one.scores][:-1], ignore_index=True
                )
                for one in (run, runs[0])
            )
        )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone", None, "gone: not found; expected the folder of a run"),
        ("empty.parquet", "", "empty.parquet: results of a run: cannot be read"),
        ("a.json", "[]", "not pytest-benchmark's JSON: not a JSON object"),
        (
            "a.json",
            '{"benchmarks": [{"extra_info": 3}, 4]}',
            r"no benchmark has trials in extra_info\['xadbench'\]",
        ),
        (
            "a.json",
            '{"benchmarks": [{"extra_info": {"xadbench": {"records": [{}]}}}]}',
            "record 0 is not that of a trial",
        ),
        (
            "a.json",
            '{"benchmarks": [{"extra_info": {"xadbench": {"records": 7}}}]}',
            "no benchmark has trials",
        ),
        (".", None, "no trials/.*json and no results.parquet in that folder"),
        ("shipped:nothing", None, "nothing"),
    ],
)
def test_what_holds_no_run_is_refused(tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_run(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": None}, "no column 'seed'; expected table, seed"),
        ({"seed": "one"}, "column 'seed' is not of numbers"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"value": "much"}, "column 'value' is not of numbers"),
        ({"value": -np.inf}, "column 'value' has an infinite value"),
        ({"value": 1e308}, "is 1e.308; its range is"),
        ({"normalised_time": np.inf}, "column 'normalised_time' has an infinite value"),
        ({"normalised_time": -1.0}, "normalised_time is -1.0; no time is negative"),
        ({"table": 5}, "column 'table' has 5; expected text"),
        ({"components": 5}, "column 'components' has 5; expected text"),
        ({"explainer_name": "truth"}, "no trial of an explainer, controls apart"),
        ({"metric": "adjusted_ndcg_m"}, "adjusted_ndcg_m of wine / forest / good, seed 0 is there twice"),
    ],
)
def test_a_table_that_is_none_of_results_is_refused(records, change, message):
    frame = tidy(as_trial(record, "r") for record in records)
    for column, value in change.items():
        frame = frame.drop(columns=column) if value is None else frame.assign(**{column: value})
    with pytest.raises(InputError, match=message):
        of_tidy("t", frame, {})


def test_a_run_knows_where_it_was_made(records):
    one, other = (
        of_records("r", records, RunDescription(cpu=cpu, versions={"numpy": cpu, "torch": "2"}))
        for cpu in "ab"
    )
    assert isinstance(one, Run)
    assert [str(notice) for notice in compare(one, other).notices] == [
        "cpu: a, now b",
        "versions: numpy a, now b",
    ]


def test_whatever_holds_a_run_holds_the_scores_of_its_rows(put_run, tmp_path):
    put_run(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "records")
    (tmp_path / "records" / "results.parquet").unlink()
    save_baseline("main", str(tmp_path / "run"), tmp_path)
    for place in ("run", "records", "main.parquet"):
        run = read_run(str(tmp_path / place))
        rows = run.trials[["row_values", "row_detected"]].itertuples(index=False, name=None)
        means = [np.average(values, weights=detected) for values, detected in rows]
        expected = run.values("detected", "adjusted_ndcg_m")
        np.testing.assert_allclose(means, expected[run.trials.index], atol=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        {"adjusted_ndcg_m": [2.0], "detected": [1.0]},
        {"adjusted_ndcg_m": [0.2], "detected": [1.5]},
        {"adjusted_ndcg_m": [0.2], "detected": [1.0, 1.0]},
    ],
)
def test_scores_of_rows_that_cannot_be_are_rejected(trial_record, scores):
    record = trial_record("wine", 0, "forest", "good") | {"row_scores": scores}
    with pytest.raises(InputError, match="row_values"):
        of_records("odd", [record], RunDescription())
