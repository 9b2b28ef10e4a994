"""Verify a release: every file against the manifest, and every table against what its recipe makes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xadbench.datasets.common.errors import InputError, printable
from xadbench.datasets.common.json_files import read_json
from xadbench.datasets.common.limits import check_cells
from xadbench.datasets.common.parquet import opened, read_numbers
from xadbench.datasets.common.paths import inside
from xadbench.datasets.common.specs import read_spec
from xadbench.datasets.files import LABELS, SAMPLES, content_hash
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.loading import is_named
from xadbench.datasets.table import LabelledTable
from xadbench.generator.draws import subset
from xadbench.generator.recipe import Recipe

from .build import make
from .manifest import MANIFEST, Manifest, TableRecord, hash_file, read_manifest
from .spec import Injection

ARRAYS = {"samples.parquet": ("X", "y", "kind"), "mask.parquet": ("mask",), "clean.parquet": ("clean",)}


class Difference(NamedTuple):
    """What is not as it should be: a file of the release, and what is wrong with it."""

    file: str
    what: str

    def __str__(self) -> str:
        """Say it in one line."""
        return printable(f"{self.file}: {self.what}")


def verify(
    folder: str | os.PathLike[str],
    sample: int | None = None,
    *,
    regenerate: bool = True,
    on_table: Callable[[Path], object] | None = None,
) -> list[Difference]:
    """Return in what a finished release differs from its manifest and from what its recipes make.

    Parameters
    ----------
    folder
        The release.
    sample
        Make only so many of its tables again, always the same ones; None for all.
    regenerate
        Whether to make tables again at all, beside checking the files' SHA-256.
    on_table
        Called with the folder of each table that was made again.

    Returns
    -------
    list of Difference
        Empty if all is well.

    Raises
    ------
    InputError
        If there is no manifest, or `sample` is less than 1.
    """
    if sample is not None and sample < 1:
        raise InputError(f"sample is {sample}; expected at least 1")
    root = Path(folder)
    manifest = read_manifest(root)
    differences = [*_check_files(root, manifest), *_check_tables(root, manifest)]
    for table in _chosen(manifest, sample) if regenerate else ():
        differences += _check_table(root, table, manifest.tables[table])
        if on_table is not None:
            on_table(root / table)
    return differences


def _check_files(root: Path, manifest: Manifest) -> Iterator[Difference]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    for name, expected in sorted(manifest.files.items()):
        if what := _leads_out(root, name):
            yield Difference(name, what)
        elif name not in found:
            yield Difference(name, "missing")
        elif (actual := hash_file(root / name)) != expected:
            yield Difference(name, f"altered: its SHA-256 is {actual}, the manifest says {expected}")
    for name in sorted(found - manifest.files.keys() - {MANIFEST}):
        yield Difference(name, "extra: the manifest does not know it")


def _leads_out(root: Path, name: str) -> str:
    """Return why a file is not to be read, such as a link out of the release; empty if it may be."""
    try:
        inside(root, name)
    except InputError as error:
        return str(error)
    return ""


def _check_tables(root: Path, manifest: Manifest) -> Iterator[Difference]:
    """Compare the manifest's tables with the folders that there are: it cannot leave one out."""
    found = {path.parent.relative_to(root).as_posix() for path in root.rglob("table.json")}
    for table in sorted(found.symmetric_difference(manifest.tables)):
        yield Difference(MANIFEST, f"{table}: in the folder or in the manifest, but not in both")


def _chosen(manifest: Manifest, sample: int | None) -> list[str]:
    tables = sorted(manifest.tables)
    if sample is None or sample >= len(tables):
        return tables
    return [tables[i] for i in subset(len(tables), sample, stream(0, "release", "verify"))]


def _check_table(root: Path, table: str, record: TableRecord) -> Iterator[Difference]:
    """Make a table again, and compare what is recorded and what is on disk with it, array by array."""
    try:
        made = make(_read_source(root, table.partition("/")[0]), record.seed)
    except InputError as error:
        yield Difference(table, f"cannot be made again: {error}")
        return
    if (expected := content_hash(made)) != record.content_hash:
        yield Difference(
            MANIFEST, f"{table}: content hash {record.content_hash}, but its recipe makes {expected}"
        )
    found = (record.rows, record.features, record.anomalies)
    if found != (expected_sizes := (made.n_rows, made.n_features, int(made.y.sum()))):
        yield Difference(
            MANIFEST, f"{table}: rows, features and anomalies {found}, but its recipe makes {expected_sizes}"
        )
    yield from _check_header(root, f"{table}/table.json", made)
    for file in ARRAYS:
        if (root / table / file).exists():  # otherwise it was named as missing
            yield from _check_arrays(root, f"{table}/{file}", made)


def _read_source(root: Path, entry: str) -> Recipe | Injection:
    recipe = inside(root, f"{entry}/recipe.yaml")
    if recipe.exists():
        source = read_spec(recipe, Recipe)
        check_cells(source.rows, source.graph.nodes, str(recipe))
        return source
    injection = read_spec(inside(root, f"{entry}/injection.yaml"), Injection)
    if not is_named(injection.dataset):
        raise InputError(
            f"its rows come from {injection.dataset!r:.200}, outside the release, which is not read"
        )
    return injection


def _check_header(root: Path, file: str, made: LabelledTable) -> Iterator[Difference]:
    try:
        header = read_json(inside(root, file), "the header of a table")
    except InputError:
        if (root / file).exists():  # otherwise it was named as missing
            yield Difference(file, "cannot be read")
        return
    expected = {
        "content_hash": content_hash(made),
        "kinds": list(made.kinds),
        "feature_names": list(made.feature_names),
    }
    for key, value in expected.items():
        if header.get(key) != value:
            yield Difference(file, f"{key} differs from what the recipe makes")


def _check_arrays(root: Path, file: str, made: LabelledTable) -> Iterator[Difference]:
    names = [*made.feature_names, *(LABELS if file.endswith(SAMPLES) else ())]
    try:
        path = inside(root, file)
        with opened(path, file) as stored:
            frame = read_numbers(stored, names, file)
    except InputError:
        yield Difference(file, "cannot be read as an array of the recipe's features")
        return
    for name in ARRAYS[path.name]:
        if what := _compare(_array(frame, name, made), getattr(made, name)):
            yield Difference(file, f"array {name} differs from what the recipe makes: {what}")


def _array(frame: pd.DataFrame, name: str, made: LabelledTable) -> NDArray[Any]:
    if name in LABELS:
        return np.asarray(frame[name])
    return np.asarray(frame[list(made.feature_names)])


def _compare(found: NDArray[Any], expected: NDArray[Any] | None) -> str:
    """Return how two arrays differ; empty if they are the same bits."""
    if expected is None:
        return "the recipe makes none"
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return f"{found.dtype} {found.shape}, expected {expected.dtype} {expected.shape}"
    bits = f"u{found.dtype.itemsize}"
    wrong = np.argwhere(np.ascontiguousarray(found).view(bits) != np.ascontiguousarray(expected).view(bits))
    if len(wrong):
        return f"{len(wrong)} of {found.size} values, first at {tuple(map(int, wrong[0]))}"
    return ""
