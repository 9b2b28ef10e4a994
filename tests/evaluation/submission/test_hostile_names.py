"""Features may have any names: a run, its report, and an export that is imported again keep them all."""

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import LabelledTable, read_table, write_table
from xadbench.datasets.common.parquet import CHUNK_ROWS, read_frame
from xadbench.evaluation import run_suite
from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.results.artifacts import load_attributions, load_rows
from xadbench.evaluation.submission.attributions import score_files
from xadbench.evaluation.submission.export import export
from xadbench.evaluation.suite.spec import Suite

NAMES = (
    *("", " ", " a", "a ", "a", "a.b", "a.b.c", "a\rx", "a\r\nx", "b\n", "a\0x", 'a"x', "b,y", "c'z"),
    *("row", "row_", "__row__", "__row___", "__detected__", "__index_level_0__", "index", "key", "seed"),
    *("y_", "metric", "value", "label", "1", "2", "400.5", "nan", "True", "\ufeffa", "é", "e\u0301"),
    *("<script>alert(1)</script>", "a|b", "c`d*e_f_", "=1+1", "../../etc", "/abs", "c:\\x", "x" * 3000),
    *("\u202eabc", "c\u200b", "\x1b[31m"),
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X, mask = rng.normal(size=(60, len(NAMES))), np.zeros((60, len(NAMES)), dtype=bool)
    mask[np.arange(6), rng.choice(len(NAMES), 6, replace=False)] = True
    return LabelledTable(X=X + 9 * mask, y=np.arange(60) < 6, mask=mask, feature_names=NAMES)


@pytest.fixture
def suite(table, tmp_path):
    return Suite(
        name="hostile",
        tables=[{"dataset": str(write_table(table, tmp_path / "table")), "name": "t"}],
        detectors=["distance"],
        explainers=["z_score"],
        save=["rows", "attributions"],
    )


def test_a_table_is_written_and_read_with_any_names(table, tmp_path):
    assert read_table(write_table(table, tmp_path / "t")).feature_names == NAMES


def test_a_run_with_any_names_saves_its_rows_and_attributions_and_has_a_report(suite, tmp_path):
    records = [record for record in run_suite(suite, tmp_path / "run") if record.status != "skipped"]
    assert {record.status for record in records} == {"ok"}
    assert "z_score" in {record.explainer.label for record in records}
    assert set(load_rows(tmp_path / "run")["key"]) == {record.key for record in records}
    for record in records:
        kept = load_attributions(tmp_path / "run", record.key)
        assert tuple(kept) == NAMES
        assert kept.index.names == ["row", "detected"]
    for form in ("html", "markdown", "csv", "latex"):
        assert write_report(tmp_path / "run", tmp_path / form, form).exists()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_exported_with_any_names_can_be_imported(suite, tmp_path, form):
    export(suite, tmp_path / "tasks", form)
    (task,) = (path for path in (tmp_path / "tasks").iterdir() if path.is_dir())
    (tmp_path / "answers").mkdir()
    (task / f"rows.{form}").rename(tmp_path / "answers" / f"{task.name}.{form}")
    placement = score_files(tmp_path / "answers", suite, "mine", tmp_path / "run")
    (own,) = (record for record in placement.records if record.explainer.label == "mine")
    assert own.status == "ok", own.reason


def test_a_long_file_is_read_column_by_column_whatever_its_columns_are_called(tmp_path):
    frame = pd.DataFrame({name: np.full(CHUNK_ROWS + 1, i) for i, name in enumerate(["a.b", "a", ""])})
    frame.to_parquet(tmp_path / "long.parquet")
    pd.testing.assert_frame_equal(read_frame(tmp_path / "long.parquet", "rows"), frame)
