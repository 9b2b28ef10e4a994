"""What --force replaces, and what stays."""

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.cli.replacing import EXPORT, RUN, TABLE, replaceable

SUITE = """\
name: tiny
tables: [{recipe: table2-d4-5, rows: 200}]
detectors: [gaussian]
explainers: [z_score]
"""


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def table(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "table.json").write_text("{}")
    (folder / "samples.parquet").write_text("old")
    return folder


def test_a_table_is_replaced_and_nothing_is_left_beside_it(table, tmp_path):
    with replaceable(table, TABLE, is_forced=True) as folder:
        folder.mkdir()
        (folder / "new").touch()
    assert files(tmp_path) == {"there/new"}
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("error", [InputError("no"), KeyboardInterrupt()])
def test_what_was_there_comes_back_on_an_error(table, tmp_path, error):
    with pytest.raises(type(error)), replaceable(table, TABLE, is_forced=True) as folder:  # noqa: PT012
        folder.mkdir()
        (folder / "half").touch()
        raise error
    assert files(tmp_path) == {"there/table.json", "there/samples.parquet"}


def test_without_force_what_is_there_is_refused(table):
    with (
        pytest.raises(InputError, match=r"exists already.*--force"),
        replaceable(table, TABLE, is_forced=False),
    ):
        pass


def _with_notes(folder):
    (folder / "notes.txt").touch()


def _with_a_folder(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.tex").touch()


@pytest.mark.parametrize(
    ("change", "written", "message"),
    [
        (_with_notes, TABLE, r"also holds notes\.txt"),
        (_with_a_folder, TABLE, "also holds mine"),
        (_with_a_folder, EXPORT, r"holds no export, which has manifest\.json"),
        (lambda folder: None, RUN, r"holds no run, which has run\.json"),
    ],
)
def test_force_never_deletes_what_no_command_wrote(table, tmp_path, change, written, message):
    change(table)
    before = files(tmp_path)
    with pytest.raises(InputError, match=message), replaceable(table, written, is_forced=True):
        pass
    assert files(tmp_path) == before


def test_force_never_follows_a_link_nor_replaces_a_file(table, tmp_path):
    (tmp_path / "link").symlink_to(table)
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with (
            pytest.raises(InputError, match="is not a folder"),
            replaceable(tmp_path / name, TABLE, is_forced=True),
        ):
            pass
    assert (table / "samples.parquet").exists()


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        (["generate", "table2-d4-5", "--rows", "100"], "tables/table2-d4-5-seed-0"),
        (["inject", "bundled:wine"], "tables/bundled-wine-injected-seed-0"),
        (["export", "--suite", "tiny.yaml"], "exports/tiny"),
        (["release", "build", "mini", "--no-audit"], "releases/mini-2.0.0"),
        (["run", "tiny.yaml", "--save", "rows,attributions"], "runs/tiny"),
        (["score", "mahalanobis", "--suite", "tiny.yaml"], "runs/score-tiny"),
    ],
)
def test_each_command_replaces_what_it_wrote(xadbench, tmp_path, words, folder):
    (tmp_path / "tiny.yaml").write_text(SUITE)
    assert xadbench(*words)[0] == 0
    before = files(tmp_path)
    inode = (tmp_path / folder).stat().st_ino
    code, _, err = xadbench(*words, "--force")
    assert code == 0, err
    assert "from an earlier run" not in err
    assert files(tmp_path) == before
    assert (tmp_path / folder).stat().st_ino != inode
