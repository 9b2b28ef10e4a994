"""The pages of a report say what its records say, and no more."""

import json
import re

import pytest

from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.report.table_pages import table_paths
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial


def test_a_suite_of_another_version_is_said_not_to_tell_what_has_not_run(small_run_folder, tmp_path):
    store.write_json(
        small_run_folder / "run.json", {"version": RECORD_VERSION, "suite": {"name": "old", "novelty": 1}}
    )
    write_report(small_run_folder, tmp_path / "out")
    assert "of another version" in (tmp_path / "out" / "faults.html").read_text(encoding="utf-8")


def test_no_name_becomes_markup(html):
    pages = list(html.rglob("*.html"))
    assert len(pages) == 10 + 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<b>" not in text
        assert "<i>" not in text


def test_pages_refer_to_files_of_the_report_alone(html):
    for page in html.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#]+)"', page.read_text(encoding="utf-8")):
            assert target == "data:," or (page.parent / target).is_file(), (page, target)


def test_paths_of_tables_differ_and_suit_any_file_system():
    paths = table_paths(["a/b", "a b", "../..", "x" * 300]).values()
    assert len(set(paths)) == 4
    assert all(re.fullmatch(r"tables/\d{3}-[A-Za-z0-9._-]{1,60}\.html", path) for path in paths)


def test_the_figure_of_cost_is_json_that_holds_no_markup(html):
    text = (html / "cost.html").read_text(encoding="utf-8")
    (source,) = re.findall(r'<script type="application/json" id="scatter">(.*?)</script>', text, re.DOTALL)
    names = [trace["name"] for trace in json.loads(source)["data"]]
    assert names == ["forest", "&lt;b&gt;knn&lt;/b&gt;"]


def test_a_run_without_scores_by_kind_says_so(small_run_folder, tmp_path):
    for path in (small_run_folder / "trials").iterdir():
        record = store.read_json(path)
        store.write_json(path, {name: of for name, of in record.items() if name != "scores_by_kind"})
    write_report(small_run_folder, tmp_path / "out")
    text = (tmp_path / "out" / "kinds.html").read_text(encoding="utf-8")
    assert "do not have scores by kind" in text


def test_the_heat_map_has_each_explainer_and_kind_and_dashes_where_one_is_missing(html):
    text = (html / "kinds.html").read_text(encoding="utf-8")
    (forest, _) = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    rows = {
        re.search('row">([^ <]+)', row)[1]: re.findall(">([^<>]+)</td>", row)
        for row in forest.split("</tr>")[:-1]
    }
    assert set(rows) == {"good", "fair", "poor_&amp;co", "random", "truth"}
    assert float(rows["good"][1]) - float(rows["good"][0]) == pytest.approx(0.3)
    assert "gappy, 4 of 6 cells" in text


def test_pages_of_tables_have_examples_where_attributions_were_kept(html):
    alpha, *others = sorted((html / "tables").iterdir())
    text = alpha.read_text(encoding="utf-8")
    assert text.count("responsible</td>") == 1 + 1 + 7
    assert "Row 1: &lt;b&gt;local&lt;/b&gt;, not detected" in text
    assert "--recompute makes them again" not in text
    assert all("an older run, which saved nothing" in other.read_text(encoding="utf-8") for other in others)


def test_every_session_of_a_run_is_on_the_page_of_its_provenance(small_run_folder, tmp_path):
    first = {"command": ["xadbench", "run"], "commit": "abc", "ended": None, "versions": {"numpy": "1.0"}}
    about = store.read_json(small_run_folder / "run.json") | {"sessions": [first, {"commit": "def"}]}
    store.write_json(small_run_folder / "run.json", about)
    page = (write_report(small_run_folder, tmp_path / "out").parent / "provenance.html").read_text(
        encoding="utf-8"
    )
    rows = dict(re.findall(r"<code>(sessions\S+)</code></th><td>([^<]*)</td>", page))
    assert rows == {
        "sessions[0].command": "xadbench, run",
        "sessions[0].commit": "abc",
        "sessions[0].ended": "None",
        "sessions[0].versions.numpy": "1.0",
        "sessions[1].commit": "def",
    }


def test_costs_are_distinguished(small_run_folder, tmp_path):
    for path in store.paths(small_run_folder):
        record = store.read_json(path)
        record["cost"] = {
            part: {"cpu_seconds": seconds, "rows_scored": 1000.0, "peak_bytes": seconds * 1e6}
            for part, seconds in (("fit", 11.0), ("explain", 13.0))
        }
        store.write_record(small_run_folder, as_trial(record, "a record"))
    page = (write_report(small_run_folder, tmp_path).parent / "cost.html").read_text(encoding="utf-8")
    _, *cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page.split('scope="row">good', 1)[1])
    assert cells[2:6] == ["11", "13", "2000", "13.0"]
