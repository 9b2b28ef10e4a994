"""Names and words that come from data are no markup in what a release says of itself."""

import json

import pandas as pd
import pytest

from xadbench.datasets import InputError, LabelledTable, write_table
from xadbench.datasets.tabular import read_tabular
from xadbench.generator.releases.citation import citation
from xadbench.generator.releases.croissant import croissant
from xadbench.generator.releases.datasheet import datasheet
from xadbench.generator.releases.licences import licences
from xadbench.generator.releases.manifest import TableRecord
from xadbench.generator.releases.spec import Release

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def release(tmp_path, monkeypatch):
    """A release of one table, injected into a data set called <script>..., that nobody has built."""
    monkeypatch.chdir(tmp_path)
    name = SCRIPT.replace("/", "`")
    pd.DataFrame({"a": [1.0]}).to_csv(f"{name}.csv", index=False)
    return Release.model_validate(
        {
            "name": "r",
            "version": "1.0.0",
            "date": "2026-01-01",
            "licence": "CC-BY-4.0",
            "description": f"Tables & {SCRIPT}.",
            "authors": [SCRIPT],
            "tables": [{"inject": {"dataset": f"{name}.csv"}, "folder": "own", "seeds": [0]}],
        }
    )


def test_a_datasheet_and_its_licences_escape_names(release):
    record = TableRecord(content_hash="0" * 64, seed=0, rows=1, features=1, anomalies=0)
    sheet = datasheet(release, {"own/seed-0": record}, {})
    name = "`` <script>alert(1)<`script>.csv ``"
    assert "\nTables &amp; &lt;script&gt;alert(1)&lt;/script&gt;.\n" in sheet
    assert sheet.count(name) == sheet.count("<script>") == 2
    assert licences(release).count(name) == licences(release).count("<script>") == 1


def test_croissant_and_citation_stay_what_they_are(release, tmp_path):
    table = LabelledTable(X=[[1.0], [2.0]], y=[0, 1], feature_names=(f'"}}]{SCRIPT}',))
    write_table(table, tmp_path / "own" / "seed-0")
    values = json.loads(croissant(release, tmp_path, {}))
    assert f'"}}]{SCRIPT}' in json.dumps(values, ensure_ascii=False).replace('\\"', '"')
    assert f"- name: {SCRIPT}\n" in citation(release)


def test_an_error_that_quotes_a_file_does_not_steer_a_terminal(tmp_path):
    (tmp_path / "a.csv").write_text("a\x1b]0;title\x07,b\n1,2\n")
    with pytest.raises(InputError, match="no column 'y'") as error:
        read_tabular(tmp_path / "a.csv", label="y")
    assert str(error.value).endswith(r"columns: a\x1b]0;title\x07, b")
