"""What a finished release consists of: the SHA-256 of every file, the content hash of every table."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, StringConstraints

from xadbench import __version__
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.json_files import read_json
from xadbench.datasets.common.paths import NAME, check_path, inside
from xadbench.datasets.common.specs import build_spec
from xadbench.datasets.files import atomic_write, content_hash, read_table

from .spec import Release

FORMAT = 1
MANIFEST = "manifest.json"
FileName = Annotated[str, AfterValidator(check_path)]
TableName = Annotated[FileName, StringConstraints(pattern=rf"{NAME.removesuffix('$')}/seed-\d+$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
LIBRARIES = ("networkx", "numpy", "pandas", "pgmpy", "pyarrow", "scikit-learn", "scipy")


class TableRecord(BaseModel, frozen=True, extra="forbid"):
    """What identifies a table, and its size."""

    content_hash: Sha256
    seed: int
    rows: int
    features: int
    anomalies: int


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """A release's table of contents.

    Parameters
    ----------
    format
        1.
    name, version, licence
        Those of the release.
    made_with
        Versions and machine. They do not matter for the content; they may help to find out why it differs.
    tables
        Each table's folder with what identifies the table.
    files
        Each file but the manifest itself, with its SHA-256.
    """

    format: int
    name: str
    version: str
    licence: str
    made_with: dict[str, str]
    tables: dict[TableName, TableRecord]
    files: dict[FileName, Sha256]


def describe(folder: Path, seed: int) -> TableRecord:
    """Read a written table back and return its record.

    Raises
    ------
    InputError
        If a file is missing or unreadable, or the content is not what was written.
    """
    try:
        table = read_table(folder)
    except InputError as error:
        what = str(error).removeprefix(f"{folder}: ")
        raise InputError(f"{folder} was altered; remove it and build again: {what}") from None
    return TableRecord(
        content_hash=content_hash(table),
        seed=seed,
        rows=table.n_rows,
        features=table.n_features,
        anomalies=int(table.y.sum()),
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the files `names` in `folder`, by name, sorted."""
    return {name: hash_file(folder / name) for name in sorted(names)}


def write_manifest(
    folder: Path, release: Release, tables: Mapping[str, TableRecord], files: Mapping[str, str]
) -> None:
    """Write the manifest: whole or not at all, and last, since it says that the release is finished."""
    manifest = Manifest(
        format=FORMAT,
        name=release.name,
        version=release.version,
        licence=release.licence,
        made_with=_made_with(),
        tables=dict(tables),
        files=dict(files),
    )
    with atomic_write(folder / MANIFEST) as file:
        file.write(f"{manifest.model_dump_json(indent=1)}\n".encode())


def _made_with() -> dict[str, str]:
    found = {library: version(library) for library in LIBRARIES}
    return {
        "xadbench": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    } | found


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a finished release.

    Raises
    ------
    InputError
        If there is none, or it is not one, or it names a file outside the folder.
    """
    path = inside(folder, MANIFEST)
    values = read_json(path, "the manifest of a finished release")
    if values.get("format") != FORMAT:
        raise InputError(f"{path}: format {values.get('format')!r:.80}; expected {FORMAT}")
    return build_spec(values, Manifest, f"{path}: not the manifest of a finished release")
