import logging
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import read_table
from xadbench.generator.releases.build import build
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.releases.spec import load_release

mlcroissant = pytest.importorskip("mlcroissant")
pytestmark = [  # mlcroissant's own use of rdflib and pandas
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(load_release("mini"), tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def dataset(built):
    return mlcroissant.Dataset(jsonld=built / "croissant.json")


def load(dataset, record_set):
    return pd.DataFrame(dataset.records(record_set)).rename(
        columns=lambda name: name.removeprefix(record_set)
    )


def test_the_metadata_validates_on_the_command_line(built):
    code = "from mlcroissant.scripts.cli import main; main()"
    command = [sys.executable, "-c", code, "validate", "--jsonld", str(built / "croissant.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own code
    assert done.returncode == 0, done.stderr
    assert "Done." in done.stderr


def test_the_metadata_validates_without_errors_or_warnings(built, caplog):
    with caplog.at_level(logging.WARNING):
        issues = mlcroissant.Dataset(jsonld=built / "croissant.json").metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    assert not caplog.records


def test_the_metadata_holds_what_the_release_says(dataset):
    metadata = dataset.metadata
    assert (metadata.name, metadata.version) == ("mini", "2.0.0")
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0.html"]
    assert metadata.date_published.date().isoformat() == "2026-11-30"


def test_every_entry_has_three_record_sets(dataset):
    assert [record_set.uuid for record_set in dataset.metadata.record_sets] == [
        f"{entry}/{part}"
        for entry in ("table2-d4-5", "table2-d10-5", "injected-wine")
        for part in ("samples", "mask", "clean")
    ]


@pytest.mark.parametrize("entry", ["table2-d4-5", "injected-wine"])
def test_records_are_the_rows_of_the_tables(built, dataset, entry):
    samples, mask, clean = (load(dataset, f"{entry}/{part}") for part in ("samples", "mask", "clean"))
    for seed in (0, 1):
        table = read_table(built / entry / f"seed-{seed}")
        names = [f"/{name}" for name in table.feature_names]
        for found, expected in [(samples, table.X), (mask, table.mask), (clean, table.clean)]:
            rows = found[found[":seed"] == seed]
            assert rows[":row"].tolist() == list(range(table.n_rows))
            np.testing.assert_array_equal(rows[names].to_numpy(), expected)
        rows = samples[samples[":seed"] == seed]
        np.testing.assert_array_equal(rows["/y"].to_numpy(), table.y)
        np.testing.assert_array_equal(rows["/kind"].to_numpy(), table.kind)


def test_the_hashes_of_the_files_are_right(built, dataset):
    described = {"croissant.json", "DATASHEET.md", "CITATION.cff", "LICENCES.md"}
    files = {name: digest for name, digest in read_manifest(built).files.items() if name not in described}
    assert {file.content_url: file.sha256 for file in dataset.metadata.file_objects} == files
