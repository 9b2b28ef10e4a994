"""What explainers outside Python are asked, and how their answers are scored."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError, standardise
from xadbench.evaluation.runs import reference as shipped
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.submission.attributions import score_files
from xadbench.evaluation.submission.export import export
from xadbench.evaluation.submission.tasks import Task, tasks
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec
from xadbench.evaluation.trial.fit import Fitted, fit

TASKS = ["table2-d10-5--distance--seed-0", "a-b-c14cddc0--distance--seed-0"]


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch):
    monkeypatch.setattr(shipped, "all_shipped", lambda: iter(()))


@pytest.fixture
def suite():
    tables = [{"recipe": "table2-d10-5", "rows": 200}, {"name": "a/b", "recipe": "table2-d4-5", "rows": 200}]
    metrics = ["max_sensitivity", "seed_agreement", "faithfulness"]
    return Suite.model_validate(
        {
            "name": "s",
            "tables": tables,
            "detectors": ["distance"],
            "explainers": ["z_score"],
            "metrics": metrics,
        }
        | {"scope": "anomalies"}
    )


@pytest.fixture
def exported(suite, tmp_path):
    assert export(suite, tmp_path / "asked") == 2
    return tmp_path / "asked"


def attributions(folder, read=pd.read_csv, suffix="csv"):
    """Return |z| for the rows that a task asks for, by its files alone."""
    rows, background = (read(folder / f"{name}.{suffix}") for name in ("rows", "background"))
    features = rows.columns[1:]
    spread = background[features].std(ddof=0)
    rows[features] = ((rows[features] - background[features].mean()) / spread).abs()
    return rows


@pytest.fixture
def answers(exported, tmp_path):
    folder = tmp_path / "answers"
    folder.mkdir()
    for task in TASKS:
        attributions(exported / task).to_csv(folder / f"{task}.csv", index=False)
    return folder


@pytest.fixture
def jobs(suite):
    return {Task(job).name: job for job in plan(suite)}


def test_the_answer_of_files_is_that_of_the_explainer(suite, answers, tmp_path):
    (place,) = score_files(answers, suite, "mine", tmp_path / "run").places
    assert place.own["mean"] == place.standing.loc["z_score", "mean"]
    assert place.own["place"] == place.standing.loc["z_score", "place"]


def test_what_needs_the_explainer_is_not_defined(suite, answers, tmp_path):
    records = score_files(answers, suite, "mine", tmp_path / "run").records
    scores = {(record.explainer.label, record.table.label): record.scores["anomalies"] for record in records}
    for (explainer, _), of in scores.items():
        assert (of["max_sensitivity"] is None) == (explainer not in {"z_score", "random"})
        assert (of["seed_agreement"] is None) == (explainer not in {"z_score", "random"})
    assert scores["mine", "a/b"]["faithfulness"] == pytest.approx(scores["z_score", "a/b"]["faithfulness"])
    own = [record for record in records if record.explainer.label == "mine"]
    assert {record.seconds for record in own} == {record.normalised_time for record in own} == {None}


def test_the_export_holds_the_rows_the_training_matrix_and_the_scores(exported, jobs):
    for name, job in jobs.items():
        fitted = fit(job.source, job.detector)
        rows, background, scores = (
            pd.read_csv(exported / name / f"{part}.csv") for part in ("rows", "background", "scores")
        )
        assert list(rows) == list(background) == ["row", *job.source.table.feature_names]
        order = Task(job).ids().argsort()
        assert_array_equal(background.iloc[:, 1:], standardise(job.source.table).X[order])
        assert_array_equal(scores["score"], fitted.scores[order])
        assert_array_equal(rows, background[background["row"].isin(rows["row"])])


def test_the_export_does_not_tell_the_anomalies(exported, jobs):
    for name, job in jobs.items():
        table, fitted = job.source.table, fit(job.source, job.detector)
        requested = pd.read_csv(exported / name / "rows.csv")["row"].to_numpy()
        row_of = Task(job).ids().argsort()
        scored = set(fitted.rows_to_explain())
        assert scored <= set(row_of[requested])
        assert len(requested) == 2 * len(scored)
        unflagged = np.setdiff1d(row_of[requested], np.flatnonzero(fitted.flag_probability))
        assert 0 < table.y[unflagged].mean() < 1 or not table.y[unflagged].any()
        assert abs(np.corrcoef(np.arange(table.n_rows), row_of)[0, 1]) < 0.3
        assert_array_equal(requested, np.sort(requested))
    assert sorted(path.name for path in exported.iterdir()) == sorted([*TASKS, "README.txt", "manifest.json"])
    reported = json.loads((exported / "manifest.json").read_text())["tasks"][0]
    assert set(reported) == {"task", "table", "detector", "seed", "columns", "n_rows", "n_background"}


def test_what_all_tasks_of_a_table_ask_for_is_not_its_anomalies(suite):
    """A detector's false alarms are its own; the table may be the same for every seed."""
    job, scores = plan(suite)[0], np.random.default_rng(0)
    table = job.source.table
    common = np.arange(table.n_rows)
    for seed in range(4):
        task = Task(replace(job, load=partial(replace, job.source, seed=seed)))
        requested = task.requested(Fitted(None, table, scores.random(table.n_rows), 0.0))
        common = np.intersect1d(common, requested)
    assert set(np.flatnonzero(table.y)) <= set(common)
    assert table.y[common].mean() < 2 / 3


def test_parquet_gives_the_same_record_as_csv(suite, answers, tmp_path):
    export(suite, tmp_path / "parquet", "parquet")
    columns = tmp_path / "columns"
    columns.mkdir()
    for task in TASKS:
        made = attributions(tmp_path / "parquet" / task, pd.read_parquet, "parquet")
        made.to_parquet(columns / f"{task}.parquet", index=False)
    keys = [
        [record.key for record in score_files(folder, suite, "mine", tmp_path / "run").records]
        for folder in (answers, columns)
    ]
    assert keys[0] == keys[1]


def test_a_task_that_was_not_exported_needs_no_answer(tmp_path):
    tables = [{"recipe": "table2-d4-5", "rows": 200}, {"dataset": "bundled:wine", "inject": {}}]
    parts = {"name": "s", "tables": tables, "detectors": ["oracle"], "explainers": ["z_score"]}
    suite = Suite.model_validate(parts | {"scope": "anomalies"})
    (tmp_path / "answers").mkdir()
    assert export(suite, tmp_path / "asked") == 1  # the oracle knows one table
    task = "table2-d4-5--oracle--seed-0"
    attributions(tmp_path / "asked" / task).to_csv(tmp_path / "answers" / f"{task}.csv", index=False)
    placement = score_files(tmp_path / "answers", suite, "mine", tmp_path / "run")
    assert placement.places[0].own["mean"] == placement.places[0].standing.loc["z_score", "mean"]
    own = [record for record in placement.records if record.explainer.label == "mine"]
    assert [record.status for record in own] == ["ok", "skipped"]
    (tmp_path / "answers" / f"{task}.csv").unlink()
    with pytest.raises(InputError, match=f"no {task}.csv"):
        score_files(tmp_path / "answers", suite, "mine", tmp_path / "run")


def test_another_answer_has_another_key(suite, answers, tmp_path):
    before = score_files(answers, suite, "mine", tmp_path / "run").records
    file = answers / f"{TASKS[0]}.csv"
    changed = pd.read_csv(file)
    changed.iloc[0, 1] += 1
    changed.to_csv(file, index=False)
    after = score_files(answers, suite, "mine", tmp_path / "run").records
    same = [a.key == b.key for a, b in zip(before, after, strict=True)]
    assert same == [True] * (len(before) - 2) + [False, True]


def changed(change):
    """Return a fault that changes the frame of the first task's answer."""

    def apply(folder):
        file = folder / f"{TASKS[0]}.csv"
        frame = pd.read_csv(file)
        result = change(frame)
        (frame if result is None else result).to_csv(file, index=False)

    return apply


def cell(value):
    return changed(lambda frame: frame.astype(object).pipe(_with_value, value))


def _with_value(frame, value):
    frame.iloc[4, 3] = value
    return frame


def leads_out(folder):
    file = folder / f"{TASKS[0]}.csv"
    file.rename(folder.parent / "elsewhere.csv")
    file.symlink_to(folder.parent / "elsewhere.csv")


def is_a_pipe(folder):
    (folder / f"{TASKS[0]}.csv").unlink()
    os.mkfifo(folder / f"{TASKS[0]}.csv")


FAULTS = {
    "a pipe": (is_a_pipe, f"{TASKS[0]}.csv is a folder, a pipe or a device; expected a file"),
    "missing": (
        lambda folder: (folder / f"{TASKS[1]}.csv").unlink(),
        f"answers: no {TASKS[1]}.csv or {TASKS[1]}.parquet; expected one file for each task",
    ),
    "both": (
        lambda folder: shutil.copy(folder / f"{TASKS[0]}.csv", folder / f"{TASKS[0]}.parquet"),
        f"both {TASKS[0]}.csv and {TASKS[0]}.parquet; expected one of them",
    ),
    "no folder": (shutil.rmtree, "answers is not a folder"),
    "a link": (leads_out, "is a link that leads out of the folder"),
    "large": (
        lambda folder: (folder / f"{TASKS[0]}.csv").write_bytes(b"1" * 2**21),
        "2097152 bytes; expected at most 1190080 for 11 columns",
    ),
    "a column less": (changed(lambda frame: frame.iloc[:, :-1]), "10 columns, expected 11: row, x0, x1, x2"),
    "no row numbers": (
        changed(lambda frame: frame.assign(more=1).iloc[:, 1:]),
        "column 1 is 'x0', expected 'row'",
    ),
    "columns swapped": (
        changed(lambda frame: frame[["row", "x1", "x0", *frame.columns[3:]]]),
        "column 2 is 'x1', expected 'x0', as in the export",
    ),
    "a row less": (changed(lambda frame: frame.iloc[:-1]), "rows, expected"),
    "rows swapped": (
        changed(lambda frame: frame.iloc[::-1]),
        "csv: column 'row', row 1: .*, expected .*order",
    ),
    "a large row number": (
        changed(lambda frame: frame.assign(row=frame["row"].where(frame.index != 2, 1234567))),
        "csv: column 'row', row 3: 1234567, expected ",
    ),
    "a row twice": (
        changed(lambda frame: frame.assign(row=frame["row"].where(frame.index != 2, frame["row"][1]))),
        "csv: column 'row', row 3: ",
    ),
    "missing value": (cell(None), "column 'x2', row 5: 'nan': a missing value; expected a number"),
    "text": (cell("much"), "column 'x2', row 5: 'much': not a number"),
    "infinite": (cell("inf"), "column 'x2', row 5: 'inf': expected a finite number"),
    "empty": (lambda folder: (folder / f"{TASKS[0]}.csv").write_text(""), f"{TASKS[0]}.csv: cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_is_refused_with_file_row_and_column(suite, answers, tmp_path, fault):
    break_it, message = FAULTS[fault]
    break_it(answers)
    with pytest.raises(InputError, match=message) as error:
        score_files(answers, suite, "mine", tmp_path / "run")
    assert "answers" in str(error.value)
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize("label", ["z_score", "truth"])
def test_a_name_that_is_taken_is_refused(suite, answers, tmp_path, label):
    with pytest.raises(InputError, match="choose another --name"):
        score_files(answers, suite, label, tmp_path / "run")


def test_an_export_is_whole_or_not_there(suite, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="exists already"):
        export(suite, tmp_path / "there")
    unknown = suite.model_copy(
        update={"tables": (TableSpec(dataset="bundled:wine"),)}
    )  # its ground-truth features
    with pytest.raises(InputError, match=r"suite [a-z]* has no task"):
        export(unknown, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    "label", ["../../etc/passwd", "..", "-", "-rf", "C:\\x", "x" * 300, "ä ö", "a\nb", "/root"]
)
def test_names_of_tasks_are_safe_file_names(suite, label):
    tables = [suite.tables[0].model_copy(update={"name": label})]
    (task,) = tasks(suite.model_copy(update={"tables": tuple(tables)}))
    assert set(task.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert not task.name.startswith((".", "-"))
    assert len(task.name) < 200


def test_labels_that_look_alike_have_files_of_their_own(suite):
    names = ("a/b", "a:b", "a-b", "a", "a--b", "a-b-c14cddc0")  # the last: what a/b is as part of a name
    tables = [suite.tables[0].model_copy(update={"name": name}) for name in names]
    detectors = [Component(name="distance", label="c"), Component(name="gaussian", label="b-c")]
    requested = tasks(suite.model_copy(update={"tables": tuple(tables), "detectors": tuple(detectors)}))
    assert len({task.name for task in requested}) == len(requested) == 12


def test_a_feature_called_row_is_no_row_number(jobs):
    job = next(iter(jobs.values()))
    names = ("row", *job.source.table.feature_names[1:])
    object.__setattr__(job.source.table, "feature_names", names)
    assert Task(job).columns[:2] == ("row_", "row")


def test_the_commands_export_and_import(xadbench, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "{name: s, tables: [{recipe: table2-d10-5, rows: 200}], detectors: [distance], explainers: [z_score]}"
    )
    code, out, _ = xadbench("export", "--suite", "s.yaml", "--out", "asked")
    assert code == 0
    assert "asked: 1 tasks; asked/README.txt says how to answer them" in out
    readme = (tmp_path / "asked" / "README.txt").read_text()
    assert "of your own: the path of its file" in readme
    assert "xadbench import answers --suite s\n" in readme
    (tmp_path / "mine").mkdir()
    attributions(tmp_path / "asked" / TASKS[0]).to_csv(tmp_path / "mine" / f"{TASKS[0]}.csv", index=False)
    code, out, _ = xadbench("import", "mine", "--suite", "s.yaml")
    assert code == 0
    assert "mine: place 1 of 2" in out
    assert "Time per trial: not known, because it was computed elsewhere." in out
    assert xadbench("report", "runs/score-s", "--format", "csv")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "a"], "a is not a folder"),
        (["import"], "Missing argument 'DIR'"),
        (["import", "a", "--format", "csv"], "'csv' is not one of 'text', 'json', 'markdown'"),
        (["import", "a", "--workers", "0"], "'--workers'"),
        (["import", "a", "--suite", "quik"], "unknown suite 'quik'"),
        (["export", "--format", "json"], "'json' is not one of 'csv', 'parquet'"),
        (["export", "--out", "."], "exists already"),
        (["export", "--suite", "quik"], "unknown suite 'quik'"),
        (["score", "--export", "e"], "No such option: --export"),
        (["score", "--attributions", "a"], "No such option: --attributions"),
    ],
)
def test_wrong_use_of_a_command_gives_one_line(xadbench, tmp_path, arguments, message):
    (tmp_path / "s.yaml").write_text(
        "{name: s, tables: [{recipe: table2-d4-5, rows: 99}], detectors: [distance], explainers: [z_score]}"
    )
    suite = [] if "--suite" in arguments else ["--suite", "s.yaml"]
    code, out, err = xadbench(*arguments, *suite)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_an_export_goes_to_a_folder_named_after_the_suite(xadbench, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "{name: s, tables: [{recipe: table2-d4-5, rows: 99}], detectors: [distance], explainers: [z_score]}"
    )
    assert xadbench("export", "--suite", "s.yaml", "--format", "parquet")[0] == 0
    assert (tmp_path / "exports" / "s" / "table2-d4-5--distance--seed-0" / "rows.parquet").exists()
