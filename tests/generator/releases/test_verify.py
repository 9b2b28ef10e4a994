import json
import shutil

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError, content_hash, read_table
from xadbench.generator.releases import verify as module
from xadbench.generator.releases.build import build
from xadbench.generator.releases.manifest import hash_file
from xadbench.generator.releases.spec import load_release
from xadbench.generator.releases.verify import verify

TABLE = "table2-d10-5/seed-1"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(load_release("mini"), tmp_path_factory.mktemp("release"))


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built, tmp_path / "copy")


def lines(folder, **options):
    return [str(difference) for difference in verify(folder, **options)]


def forge(folder, name):
    """Make the manifest agree with an altered file."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = hash_file(folder / name)
    path.write_text(json.dumps(manifest))


def change(file, alter):
    frame = pd.read_parquet(file)
    alter(frame).to_parquet(file, index=False)


def test_a_release_as_built_has_no_differences(built):
    seen = []
    assert verify(built, on_table=seen.append) == []
    assert len(seen) == 6


def test_missing_altered_and_extra_files_are_named(copy):
    (copy / "DATASHEET.md").unlink()
    (copy / "CITATION.cff").write_text("altered")
    (copy / TABLE / "notes.txt").write_text("extra")
    missing, altered, extra = sorted(
        lines(copy, regenerate=False), key=lambda line: line.split(": ")[1], reverse=True
    )
    assert missing == "DATASHEET.md: missing"
    assert extra.startswith("CITATION.cff: altered: its SHA-256 is ")
    assert altered == f"{TABLE}/notes.txt: extra: the manifest does not know it"


def test_a_single_flipped_byte_is_seen(copy):
    file = copy / TABLE / "clean.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert any(line.startswith(f"{TABLE}/clean.parquet: altered") for line in lines(copy, regenerate=False))


@pytest.mark.parametrize(
    ("file", "column", "array"),
    [
        ("samples.parquet", "x3", "X"),
        ("samples.parquet", "y", "y"),
        ("samples.parquet", "kind", "kind"),
        ("mask.parquet", "x3", "mask"),
        ("clean.parquet", "x3", "clean"),
    ],
)
def test_a_forged_array_is_found_by_making_the_table_again(copy, file, column, array):
    def alter(frame):
        value = frame.loc[5, column]
        changed = np.nextafter(value, 9) if frame[column].dtype.kind == "f" else not value
        altered = frame[column].where(frame.index != 5, changed).astype(frame[column].dtype)
        return frame.assign(**{column: altered})

    change(copy / TABLE / file, alter)
    forge(copy, f"{TABLE}/{file}")
    total = 50000 if array in {"X", "mask", "clean"} else 5000
    found = lines(copy)
    assert len(found) == 1
    assert found[0].startswith(
        f"{TABLE}/{file}: array {array} differs from what the recipe makes: 1 of {total} "
    )
    assert lines(copy, regenerate=False) == []


def test_other_columns_are_found(copy):
    change(copy / TABLE / "mask.parquet", lambda frame: frame.drop(columns="x3"))
    forge(copy, f"{TABLE}/mask.parquet")
    assert lines(copy) == [f"{TABLE}/mask.parquet: cannot be read as an array of the recipe's features"]


def test_fewer_rows_are_found(copy):
    change(copy / TABLE / "mask.parquet", lambda frame: frame.drop(index=0))
    forge(copy, f"{TABLE}/mask.parquet")
    what = "bool (4999, 10), expected bool (5000, 10)"
    assert lines(copy) == [f"{TABLE}/mask.parquet: array mask differs from what the recipe makes: {what}"]


def test_a_forged_header_is_found(copy):
    file = copy / TABLE / "table.json"
    header = json.loads(file.read_text())
    file.write_text(json.dumps(header | {"kinds": ["normal", "loud", "cluster", "local"]}))
    forge(copy, f"{TABLE}/table.json")
    assert lines(copy) == [f"{TABLE}/table.json: kinds differs from what the recipe makes"]


def test_forged_sizes_are_found(copy):
    file = copy / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["tables"][TABLE]["rows"] = 10**12
    file.write_text(json.dumps(manifest))
    (found,) = lines(copy)
    assert found.startswith(f"manifest.json: {TABLE}: rows, features and anomalies (1000000000000, 10, ")


def test_a_forged_recipe_is_found(copy):
    file = copy / "injected-wine" / "injection.yaml"
    file.write_text(file.read_text().replace("ratio: 0.2", "ratio: 0.3"))
    forge(copy, "injected-wine/injection.yaml")
    found = lines(copy)
    made = content_hash(read_table(copy / "injected-wine" / "seed-0"))
    assert f"manifest.json: injected-wine/seed-0: content hash {made}, but its recipe makes" in found[0]
    files = {line.split(": ")[0] for line in found if "seed-0/" in line}
    assert files == {
        f"injected-wine/seed-0/{file}" for file in ("table.json", "samples.parquet", "mask.parquet")
    }


def test_a_recipe_that_cannot_be_read_is_named(copy):
    (copy / "table2-d4-5" / "recipe.yaml").write_text("rows: many")
    found = lines(copy)
    assert found[0].startswith("table2-d4-5/recipe.yaml: altered")
    assert found[1].startswith("table2-d4-5/seed-0: cannot be made again: ")


def test_a_missing_array_is_named_once(copy):
    (copy / TABLE / "mask.parquet").unlink()
    assert lines(copy) == [f"{TABLE}/mask.parquet: missing"]


def test_a_sample_is_always_the_same(built, monkeypatch):
    made = []
    monkeypatch.setattr(
        module, "make", lambda source, seed, make=module.make: made.append(seed) or make(source, seed)
    )
    chosen = []
    verify(built, sample=2, on_table=chosen.append)
    verify(built, sample=2, on_table=chosen.append)
    assert len(made) == 4
    assert chosen[:2] == chosen[2:]
    assert len(set(chosen)) == 2


def test_an_unfinished_build_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"manifest.json: not the manifest of a finished release"):
        verify(tmp_path)


def test_a_sample_of_nothing_is_refused(built):
    with pytest.raises(InputError, match="sample is 0; expected at least 1"):
        verify(built, sample=0)
