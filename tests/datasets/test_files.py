import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError, LabelledTable, content_hash, read_table, write_table
from xadbench.datasets.files import atomic_write, new_folder, write_parts


def test_a_table_comes_back_as_it_was(table, tmp_path):
    back = read_table(write_table(table, tmp_path / "t"))
    for name in ("X", "y", "kind", "mask", "clean"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    assert (back.kinds, back.feature_names, back.provenance) == (
        table.kinds,
        table.feature_names,
        table.provenance,
    )


def test_a_table_without_truth_comes_back(tmp_path):
    table = LabelledTable(X=np.eye(2), y=[0, 1])
    back = read_table(write_table(table, tmp_path / "t"))
    assert back.mask is back.clean is None
    assert content_hash(back) == content_hash(table)


def test_the_hash_sees_every_array(table):
    hashes = {content_hash(table), content_hash(dataclasses.replace(table, clean=None))}
    hashes.add(content_hash(dataclasses.replace(table, mask=None)))
    hashes.add(content_hash(table.rows([0, 1, 2, 3, 5, 4])))
    hashes.add(content_hash(dataclasses.replace(table, kind=[0, 0, 0, 0, 2, 1])))
    assert len(hashes) == 5


def test_the_hash_is_that_of_every_machine():
    assert content_hash(LabelledTable(X=[[1.0, 2.0]], y=[True])).startswith("2b8ff32b")


def test_an_altered_table_is_refused(table, tmp_path):
    folder = write_table(table, tmp_path / "t")
    samples = pd.read_parquet(folder / "samples.parquet")
    samples.loc[0, "a"] += 1e-12
    samples.loc[:, "a"].to_frame().assign(
        b=samples.b, c=samples.c, y=samples.y, kind=samples.kind
    ).to_parquet(folder / "samples.parquet")
    clean = pd.read_parquet(folder / "clean.parquet")
    clean.loc[0, "a"] += 1e-12
    clean.to_parquet(folder / "clean.parquet")
    with pytest.raises(InputError, match="altered"):
        read_table(folder)


@pytest.mark.parametrize("name", ["samples.parquet", "mask.parquet", "clean.parquet", "table.json"])
def test_a_missing_or_truncated_file_is_named(table, tmp_path, name):
    file = write_table(table, tmp_path / "t") / name
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(InputError, match=name):
        read_table(tmp_path / "t")
    file.unlink()
    with pytest.raises(InputError, match=name):
        read_table(tmp_path / "t")


def test_another_format_is_refused(table, tmp_path):
    file = write_table(table, tmp_path / "t") / "table.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(InputError, match="format 1"):
        read_table(tmp_path / "t")


def test_a_table_is_never_overwritten(table, tmp_path):
    write_table(table, tmp_path / "t")
    with pytest.raises(InputError, match="exists already"):
        write_table(table, tmp_path / "t")


def fail_half_way(opened, path):
    with opened(path):
        raise KeyboardInterrupt


@pytest.mark.parametrize("opened", [new_folder, atomic_write])
def test_what_fails_half_way_leaves_nothing(tmp_path, opened):
    with pytest.raises(KeyboardInterrupt):
        fail_half_way(opened, tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        fail_half_way(atomic_write, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"old"


def test_no_part_or_unlike_parts_are_no_table(table, tmp_path):
    with pytest.raises(InputError, match="a table has no part"):
        write_parts([], tmp_path / "t")
    with pytest.raises(InputError, match="the parts of a table differ"):
        write_parts([table, dataclasses.replace(table, mask=None)], tmp_path / "t")
    assert not list(tmp_path.iterdir())


def test_of_two_processes_that_write_a_folder_at_once_the_first_counts(tmp_path):
    def write(name, meanwhile=lambda: None):
        with new_folder(tmp_path / "t") as draft:
            meanwhile()
            (draft / name).touch()

    with pytest.raises(InputError, match="another process was first"):
        write("mine", lambda: write("theirs"))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["t", "t/theirs"]
