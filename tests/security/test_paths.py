"""What comes from elsewhere neither reads nor writes outside its folder."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from xadbench.datasets import InputError, LabelledTable, read_table, write_table
from xadbench.datasets.common.paths import check_path, inside
from xadbench.datasets.files import atomic_write
from xadbench.datasets.sources.adbench import adbench_registry, load_adbench
from xadbench.dsil import DTENonParametric, load
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import load_attributions
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.suite.spec import load_suite
from xadbench.generator import load_recipe
from xadbench.generator.releases import build
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.releases.verify import verify

TABLE = "tiny/seed-0"
LEADING_OUT = [
    "../outside.json",
    "a/../../outside.json",
    "/etc/passwd",
    "//server/share",
    "C:/windows",
    "C:x",
    "a\\..\\b",
    "a/\x00",
    "a\nb",
    "",
    ".",
    "..",
    "a//b",
    "./a",
    "a/",
    "x" * 256,
    "é" * 128,
    "a/" * 501 + "a",
]


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_name_that_leads_out_is_refused(name):
    with pytest.raises(InputError, match="does not name a file inside the folder") as error:
        check_path(name)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["a", "a/b.json", "..a", "a b", "x" * 255, "é"])
def test_a_name_that_stays_inside_is_taken(name, tmp_path):
    assert inside(tmp_path, name) == tmp_path / name


def test_a_link_is_followed_as_long_as_it_stays_inside(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a").write_text("a")
    (tmp_path / "own" / "b").symlink_to("a")
    (tmp_path / "own" / "c").symlink_to("../outside")
    (tmp_path / "folder").symlink_to("own")
    assert inside(tmp_path / "folder", "b").read_text() == "a"
    with pytest.raises(InputError, match="a link out of"):
        inside(tmp_path / "own", "c")


def test_what_is_no_plain_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "waits")
    with pytest.raises(InputError, match="waits: not a plain file"):
        inside(tmp_path, "waits")


def linked_out(folder, name):
    """Put a link to a copy outside in the place of a file."""
    file = folder / name
    outside = folder.parent / f"outside-{file.name}"
    file.rename(outside)
    file.symlink_to(outside)
    return outside


@pytest.mark.parametrize("name", ["table.json", "samples.parquet", "mask.parquet", "clean.parquet"])
def test_a_table_is_not_read_through_a_link_that_leads_out(table, tmp_path, name):
    linked_out(write_table(table, tmp_path / "t"), name)
    with pytest.raises(InputError, match=rf"{name}: a link out of"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("name", ["detector.json", "arrays.safetensors"])
def test_a_detector_is_not_read_through_a_link_that_leads_out(tmp_path, name):
    detector = DTENonParametric().fit(np.random.default_rng(0).standard_normal((20, 2)))
    linked_out(detector.save(tmp_path / "d"), name)
    with pytest.raises(InputError, match=rf"{name}: a link out of"):
        load(tmp_path / "d")


def manifest_with(release, **changes):
    path = release / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", LEADING_OUT)
@pytest.mark.parametrize("part", ["files", "tables"])
def test_a_manifest_names_no_file_outside(release, name, part):
    values = json.loads((release / "manifest.json").read_text())[part]
    manifest_with(release, **{part: values | {name: next(iter(values.values()))}})
    with pytest.raises(InputError, match=r"manifest\.json: .*does not name a file inside the folder"):
        verify(release)


def test_a_manifest_names_tables_of_its_entries_alone(release):
    manifest_with(
        release,
        tables={"tiny/deep/seed-0": json.loads((release / "manifest.json").read_text())["tables"][TABLE]},
    )
    with pytest.raises(InputError, match="expected text of the pattern"):
        read_manifest(release)


def test_a_manifest_that_names_a_file_twice_is_refused(release):
    path = release / "manifest.json"
    path.write_text(
        path.read_text().replace('"files": {', '"files": {"tiny/recipe.yaml": "' + "0" * 64 + '", ')
    )
    with pytest.raises(InputError, match=r"key 'tiny/recipe\.yaml' given twice"):
        verify(release)


def test_a_release_as_it_was_written_verifies(release):
    assert verify(release) == []


@pytest.mark.parametrize("name", [f"{TABLE}/samples.parquet", f"{TABLE}/table.json", "tiny/recipe.yaml"])
def test_verify_reads_no_file_through_a_link_that_leads_out(release, name, monkeypatch):
    outside = linked_out(release, name)
    opened = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *a, **k: opened(path, *a, **k) if path.resolve() != outside else pytest.fail("read"),
    )
    assert any(f"{name}: a link out of" in str(found) for found in verify(release))


def test_verify_reads_no_folder_through_a_link_that_leads_out(release):
    linked_out(release, TABLE)
    found = [str(difference) for difference in verify(release)]
    assert any("samples.parquet: a link out of" in line for line in found)
    assert not any("altered" in line for line in found)


def test_verify_reads_no_data_set_outside_the_release(release, table, monkeypatch):
    outside = write_table(table, release.parent / "mine")
    (release / "tiny" / "recipe.yaml").unlink()
    (release / "tiny" / "injection.yaml").write_text(f"dataset: {outside}\n")
    monkeypatch.setattr(build, "load_dataset", lambda *_: pytest.fail("read"))
    assert any("mine', outside the release, which is not read" in str(found) for found in verify(release))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_writing_replaces_a_link_and_leaves_what_it_leads_to(tmp_path, link):
    (tmp_path / "outside").write_text("mine")
    link(tmp_path / "outside", tmp_path / "file")
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("key", ["../run", "/x", "", "a/b", "..", "a\x00", "k" * 300])
def test_a_record_is_written_and_read_in_the_runs_folder_alone(tmp_path, trial_record, key):
    record = as_trial(trial_record("alpha", 0, "forest", "good", key=key), "a record")
    with pytest.raises(InputError, match="is not the key of a trial"):
        store.write_record(tmp_path / "run", record)
    with pytest.raises(InputError, match="is not the key of a trial"):
        store.checked_record(tmp_path / "run", key)
    with pytest.raises(InputError, match="is not the key of a trial"):
        load_attributions(tmp_path / "run", key)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "/x", "a\\b", "a\nb", "x" * 101, ""])
def test_the_name_of_a_suite_or_recipe_is_that_of_one_folder(tmp_path, name):
    suite = {"name": name, "tables": [{"recipe": "a"}], "detectors": ["a"], "explainers": ["a"]}
    recipe = {
        "name": name,
        "rows": 20,
        "anomaly_ratio": 0.2,
        "graph": {"nodes": 3, "edges": 2},
        "anomalies": ["global"],
    }
    for values, read in ((suite, load_suite), (recipe, load_recipe)):
        (tmp_path / "s.yaml").write_text(json.dumps(values))
        with pytest.raises(InputError, match=r"s\.yaml: name: expected"):
            read(str(tmp_path / "s.yaml"))


def test_the_files_of_adbench_stay_in_their_folder():
    for entry in adbench_registry().values():
        assert check_path(f"{entry.group}/{entry.file}").count("/") == 1


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "Classical/../../x", "a\x00"])
def test_a_name_that_is_not_in_the_registry_opens_nothing(tmp_path, name, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"read {path}"))
    with pytest.raises(InputError, match="unknown ADBench data set"):
        load_adbench(name, tmp_path)


def test_a_tables_folder_of_any_name_is_only_looked_for():
    with pytest.raises(InputError, match=r"cannot be read: .*name too long"):
        read_table("x" * 300)
    with pytest.raises(InputError, match=r"cannot be read: .*null"):
        read_table("a\x00b")


def test_features_of_any_name_stay_inside_the_files(tmp_path):
    names = ("../x", "<script>", "a\x00b", "é" * 200)
    table = LabelledTable(X=np.eye(4), y=[0, 1, 0, 0], feature_names=names)
    assert read_table(write_table(table, tmp_path / "t")).feature_names == names
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
