"""The tutorials as they are kept; `tox -e docs` runs them."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


def code_cells(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_what_it_printed(notebook):
    assert [cell["id"] for cell in code_cells(notebook) if cell["outputs"] or cell["execution_count"]] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_command_that_fails_stops_it(notebook):
    sources = ["".join(cell["source"]) for cell in code_cells(notebook)]
    commands = [source.splitlines()[0] for source in sources if source.startswith(("!", "%%bash", "%%sh"))]
    assert set(commands) <= {"%%bash -eo pipefail"}
