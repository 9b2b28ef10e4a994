"""What comes from data is text in every format of a report, never markup."""

import json
import re

import pytest

from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import as_trial

HOSTILE = (
    r"\input{x} 100% $a$ [l](javascript:alert(1)) ![i](http://x) `c` *b* a|b </script> <b> #~^& @o #1"
    "\n\nnext"
)


@pytest.fixture
def hostile_tables(small_run_folder, trial_record, tmp_path):
    """The tables of a run in which everything that has a name is called what no format likes."""
    record = trial_record("alpha", 0, "forest", "fair", key="f" * 64, status="error", reason=HOSTILE)
    record["table"]["label"] = record["detector"]["label"] = record["explainer"]["label"] = HOSTILE
    record["scores"]["detected"]["infidelity"] = 1.0
    store.write_record(small_run_folder, as_trial(record, "a record"))

    def texts(form):
        folder = write_report(small_run_folder, tmp_path / form, form).parent
        return [
            path.read_text(encoding="utf-8")
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in {".js", ".css"}
        ]

    return texts


def test_markdown_shows_hostile_names_as_they_are(hostile_tables):
    for text in hostile_tables("markdown"):
        assert "](" not in text.replace(r"\]", "")
        assert "<" not in text
        assert not re.search(r"@\w|#\d(?!\d*;)|://", text)
        assert all(line.startswith("|") for line in text.splitlines())
        assert all(("input" in line) == ("next" in line) for line in text.splitlines())  # one row
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()} == {
            len(re.findall(r"(?<!\\)\|", text.splitlines()[0]))
        }


def test_latex_shows_hostile_names_as_they_are(hostile_tables):
    for text in hostile_tables("latex"):
        assert r"\input" not in text
        assert not re.search(r"(?<!\\)[$#%]", text)
        _, body = text.split(r"\midrule", 1)
        rows = body.split(r"\endlastfoot", 1)[1].split(r"\end{longtable}")[0].strip().splitlines()
        assert all(row.endswith(r"\\") for row in rows)
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1


def test_pages_show_hostile_names_as_they_are(hostile_tables):
    for text in hostile_tables("html"):
        assert "<b>" not in text
        for script in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL):
            assert not script or json.loads(script)
