import errno
import json
import multiprocessing
import re

import pandas as pd
import pytest
import yaml

from xadbench.datasets import InputError, content_hash, read_table
from xadbench.datasets.common.parquet import RowWriter
from xadbench.generator import generate, load_recipe
from xadbench.generator.releases import build as module
from xadbench.generator.releases.build import build
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.releases.spec import Release, load_release
from xadbench.generator.releases.verify import verify


@pytest.fixture(scope="module")
def release():
    return load_release("mini")


@pytest.fixture(scope="module")
def built(release, tmp_path_factory):
    return build(release, tmp_path_factory.mktemp("release"))


def hashes(folder):
    return {table: record.content_hash for table, record in read_manifest(folder).tables.items()}


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file()
    }


def test_a_release_holds_what_its_recipes_make(built):
    table = read_table(built / "table2-d10-5" / "seed-1")
    assert content_hash(table) == content_hash(generate(load_recipe("table2-d10-5"), 1))
    assert hashes(built)["table2-d10-5/seed-1"] == content_hash(table)


def test_what_a_table_is_made_from_lies_beside_it(built):
    assert load_recipe(built / "table2-d4-5" / "recipe.yaml") == load_recipe("table2-d4-5")
    injection = yaml.safe_load((built / "injected-wine" / "injection.yaml").read_text())
    assert (injection["dataset"], injection["ratio"]) == ("bundled:wine", 0.2)


def test_the_manifest_lists_every_file(built):
    names = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert read_manifest(built).files.keys() == names - {"manifest.json"}


def test_the_release_can_be_built_from_itself(built, release):
    assert load_release(built / "release.yaml") == release


def test_the_datasheet_says_what_the_tables_are(built):
    text = (built / "DATASHEET.md").read_text()
    assert "| `injected-wine` | 2 (0, 1) | 71 | 13 | 14 |" in re.sub(" +", " ", text)
    assert "### table2-d4-5\n\nNot audited in this build." in text
    assert "doi.org/10.24432/C5PC7J" in text


def test_the_citation_is_that_of_a_data_set(built):
    citation = yaml.safe_load((built / "CITATION.cff").read_text())
    assert (citation["cff-version"], citation["type"], citation["license"]) == (
        "1.2.0",
        "dataset",
        "CC-BY-4.0",
    )


def one_table(name="table2-d4-5", **changes):
    values = {
        "name": "one",
        "version": "1.0.0",
        "date": "2026-01-31",
        "licence": "CC0-1.0",
        "description": "A test.",
        "tables": [{"recipe": name, "seeds": [0]}],
    }
    return Release.model_validate(values | changes)


def test_audits_go_into_the_datasheet(tmp_path):
    folder = build(one_table(), tmp_path / "r", audit=lambda recipe, seed: f"| {recipe.name} | {seed} |")
    assert "### table2-d4-5\n\n| table2-d4-5 | 0 |" in (folder / "DATASHEET.md").read_text()
    assert verify(folder) == []


def test_an_audit_is_made_once_however_often_the_build_goes_on(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        build(one_table(), tmp_path / "r", on_table=interrupt_after(2), audit=lambda recipe, seed: "first")
    folder = build(one_table(), tmp_path / "r", audit=lambda recipe, seed: "second")
    assert (folder / "table2-d4-5" / "audit.md").read_text() == "first"


def test_adbench_comes_with_its_licence(tmp_path, adbench_folder, monkeypatch):
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(adbench_folder))
    module._dataset.cache_clear()
    injected = {"inject": {"dataset": "adbench:vertebral"}, "seeds": [0]}
    folder = build(one_table(tables=[injected]), tmp_path / "r")
    assert "Copyright (c) 2022, Mickey (Minqi)" in (folder / "LICENCES.md").read_text()
    assert read_table(folder / "injected-vertebral" / "seed-0").provenance["source"]["source"] == "adbench"


def test_a_file_of_ones_own_is_injected_into(tmp_path, real_table):
    file = tmp_path / "own.csv"
    pd.DataFrame(real_table.X, columns=real_table.feature_names).assign(bad=real_table.y).to_csv(
        file, index=False
    )
    injected = {"inject": {"dataset": str(file), "label": "bad", "kinds": ["global"]}, "seeds": [0]}
    folder = build(one_table(tables=[injected]), tmp_path / "r")
    assert read_manifest(folder).tables["injected-own/seed-0"].rows == 300
    assert "its terms are not known here" in (folder / "LICENCES.md").read_text()


def test_many_workers_make_the_same_content(built, release, tmp_path):
    seen = []
    other = build(release, tmp_path / "r", workers=2, on_table=seen.append)
    assert hashes(other) == hashes(built)
    assert [path.relative_to(other).as_posix() for path in seen] == list(hashes(built))


def test_a_second_build_has_the_same_bytes(built, release, tmp_path):
    assert contents(build(release, tmp_path / "r")) == contents(built)


def test_a_killed_worker_gives_one_line(tmp_path):
    release = one_table(tables=[{"recipe": "table2-d100-5", "seeds": [0, 1, 2, 3]}])

    def kill_all(path):
        for worker in multiprocessing.active_children():
            worker.kill()

    with pytest.raises(InputError, match="a worker was killed"):
        build(release, tmp_path / "r", workers=2, on_table=kill_all)
    assert not (tmp_path / "r" / "manifest.json").exists()


def interrupt_after(n):
    made = []

    def on_table(path):
        made.append(path)
        if len(made) == n:
            raise KeyboardInterrupt

    return on_table


@pytest.fixture
def interrupted(release, tmp_path):
    """Three of the six tables, and the drafts that a killed build leaves."""
    with pytest.raises(KeyboardInterrupt):
        build(release, tmp_path / "r", on_table=interrupt_after(3))
    (tmp_path / "r" / "table2-d10-5" / ".seed-1-x1y2").mkdir()
    (tmp_path / "r" / "table2-d10-5" / ".seed-1-x1y2" / "samples.parquet").write_bytes(b"half")
    (tmp_path / "r" / ".croissant.json-x1y2").write_bytes(b"half")
    return tmp_path / "r"


def test_an_interrupted_build_has_no_manifest(interrupted):
    assert not (interrupted / "manifest.json").exists()
    assert (interrupted / "table2-d10-5" / "seed-0").is_dir()


def test_an_interrupted_build_resumes_to_the_same(interrupted, release, built):
    first = interrupted / "table2-d4-5" / "seed-0" / "samples.parquet"
    before = first.stat().st_mtime_ns
    build(release, interrupted)
    assert contents(interrupted) == contents(built)
    assert first.stat().st_mtime_ns == before


def test_finished_tables_are_not_made_again(interrupted, release, monkeypatch):
    made = []
    monkeypatch.setattr(
        module, "make_parts", lambda *of, make=module.make_parts: made.append(of) or make(*of)
    )
    build(release, interrupted)
    assert len(made) == 3


def test_an_altered_table_stops_the_resumption(interrupted, release):
    file = interrupted / "table2-d4-5" / "seed-0" / "mask.parquet"
    mask = pd.read_parquet(file)
    mask.iloc[:, :2] = ~mask.iloc[:, :2]
    mask.to_parquet(file)
    with pytest.raises(
        InputError, match=r"table2-d4-5/seed-0 was altered; remove it and build again: 4750 row"
    ):
        build(release, interrupted)
    assert not (interrupted / "manifest.json").exists()


def test_another_release_does_not_go_on_here(interrupted, release):
    with pytest.raises(InputError, match=r"is not empty, and no unfinished build of one 1.0.0"):
        build(one_table(), interrupted)
    with pytest.raises(InputError, match=r"is not empty, and no unfinished build of mini 2.0.0"):
        build(release.model_copy(update={"description": "Another."}), interrupted)


def test_a_finished_release_is_not_built_again(built, release):
    with pytest.raises(InputError, match=r"is a finished build of mini 2.0.0"):
        build(release, built)


def test_a_folder_with_other_things_is_left_alone(release, tmp_path):
    (tmp_path / ".thesis-1").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        build(release, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".thesis-1"]


def test_a_file_is_no_folder(release, tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        build(release, tmp_path / "r")


def test_a_missing_data_set_shows_before_the_work(release, tmp_path, monkeypatch):
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(tmp_path))
    module._dataset.cache_clear()
    tables = [{"recipe": "table2-d4-5", "seeds": [0]}, {"inject": {"dataset": "adbench:Wilt"}, "seeds": [0]}]
    with pytest.raises(InputError, match=r"has no file 44_Wilt.npz"):
        build(one_table(tables=tables), tmp_path / "r")
    assert not (tmp_path / "r" / "table2-d4-5").exists()


def test_a_full_disk_gives_one_line_and_no_partial_table(tmp_path, monkeypatch):
    def full(self, rows):
        self.path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(RowWriter, "add", full)
        with pytest.raises(InputError, match="the disk is full; the finished tables stay") as error:
            build(one_table(), tmp_path / "r")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "r" / "table2-d4-5").iterdir()) == []
    assert build(one_table(), tmp_path / "r")


def test_without_workers_nothing_is_built(tmp_path):
    with pytest.raises(InputError, match="workers is 0; expected at least 1"):
        build(one_table(), tmp_path / "r", workers=0)
    assert not (tmp_path / "r").exists()


def test_without_mlcroissant_nothing_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr("xadbench.generator.releases.croissant.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs mlcroissant: pip install 'xadbench\[release\]'"):
        build(one_table(), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_manifest_is_json_of_its_format(tmp_path):
    folder = build(one_table(), tmp_path / "r")
    values = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(values | {"format": 9}))
    with pytest.raises(InputError, match="format 9; expected 1"):
        read_manifest(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="not the manifest of a finished release"):
        read_manifest(folder)
