"""A release's metadata in MLCommons Croissant 1.0: mlcroissant validates it and loads records from it."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from xadbench.datasets.common.errors import InputError

from .citation import bibtex
from .spec import Entry, Release

if TYPE_CHECKING:
    from mlcroissant import Field, FileObject, FileSet, RecordSet

CROISSANT = "croissant.json"
PARQUET = "application/x-parquet"  # the name that mlcroissant reads; IANA has application/vnd.apache.parquet
PARTS = {
    "samples": "the rows: features, y (anomalous or not) and kind (0 = normal; table.json has the names)",
    "mask": "the ground truth: for each row and feature, whether an explainer should name it",
    "clean": "the same rows as they would have been without the anomaly",
}


def check_mlcroissant() -> None:
    """Raise InputError unless mlcroissant is installed."""
    if find_spec("mlcroissant") is None:
        raise InputError("building a release needs mlcroissant: pip install 'xadbench[release]'")


def croissant(release: Release, folder: Path, files: Mapping[str, str]) -> str:
    """Return the metadata of the release in `folder` as JSON-LD.

    Each entry has three record sets, `ENTRY/samples`, `ENTRY/mask` and `ENTRY/clean`. They run over all
    seeds. Their fields `:seed` and `:row` say which row of which table a record is, and join the three.

    Parameters
    ----------
    release
        The release.
    folder
        Where its tables lie, all of them written.
    files
        The SHA-256 of the files to list, by name.
    """
    from mlcroissant import Metadata  # noqa: PLC0415  # optional, and slow to import

    metadata = Metadata(
        name=release.name,
        version=release.version,
        description=release.description,
        date_published=release.date.isoformat(),
        license=[f"https://spdx.org/licenses/{release.licence}.html"],
        cite_as=bibtex(release),
        url=release.url,
        distribution=[*_file_sets(release), *_file_objects(files)],
        record_sets=[record for entry in release.tables for record in _record_sets(entry, folder)],
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str) + "\n"


def _file_sets(release: Release) -> Iterator["FileSet"]:
    from mlcroissant import FileSet  # noqa: PLC0415

    for entry in release.tables:
        for part in PARTS:
            yield FileSet(
                id=_file_set(entry, part),
                name=f"{entry.folder}: {part}",
                description=f"{part}.parquet of all seeds",
                encoding_formats=[PARQUET],
                includes=[f"{table}/{part}.parquet" for table in entry.tables],
            )


def _file_set(entry: Entry, part: str) -> str:
    return f"{entry.folder}/{part}-files"


def _file_objects(files: Mapping[str, str]) -> Iterator["FileObject"]:
    """Yield the files one by one, for their hashes."""
    from mlcroissant import FileObject  # noqa: PLC0415

    formats = {".parquet": PARQUET, ".json": "application/json", ".yaml": "application/yaml"}
    for name, digest in files.items():
        kind = formats.get(Path(name).suffix, "text/plain")
        yield FileObject(id=name, name=name, content_url=name, encoding_formats=[kind], sha256=digest)


def _record_sets(entry: Entry, folder: Path) -> Iterator["RecordSet"]:
    from mlcroissant import DataType, RecordSet  # noqa: PLC0415

    names = json.loads((folder / entry.tables[0] / "table.json").read_text(encoding="utf-8"))["feature_names"]
    labels = {"y": DataType.BOOL, "kind": DataType.INT8}
    columns = {
        "samples": dict.fromkeys(names, DataType.FLOAT64) | labels,
        "mask": dict.fromkeys(names, DataType.BOOL),
        "clean": dict.fromkeys(names, DataType.FLOAT64),
    }
    for part, description in PARTS.items():
        record_set = f"{entry.folder}/{part}"
        field = partial(_column, record_set, _file_set(entry, part))
        yield RecordSet(
            id=record_set,
            name=record_set,
            description=description,
            fields=[*_keys(record_set, entry, part), *(field(*column) for column in columns[part].items())],
        )


def _column(record_set: str, file_set: str, name: str, data_type: str) -> "Field":
    from mlcroissant import Extract, Field, Source  # noqa: PLC0415

    source = Source(file_set=file_set, extract=Extract(column=name))
    return Field(id=f"{record_set}/{name}", name=name, data_types=[data_type], source=source)


def _keys(record_set: str, entry: Entry, part: str) -> Iterator["Field"]:
    """Yield the two fields that together identify a row of the entry."""
    from mlcroissant import DataType, Extract, Field, FileProperty, Source, Transform  # noqa: PLC0415

    extracts = {
        "seed": ("which table", FileProperty.fullpath, [Transform(regex=r".*/seed-(\d+)/.*")]),
        "row": ("which row of the table", FileProperty.lineNumbers, []),
    }
    for name, (description, file_property, transforms) in extracts.items():
        extract = Extract(file_property=file_property)
        source = Source(file_set=_file_set(entry, part), extract=extract, transforms=transforms)
        yield Field(
            id=f"{record_set}:{name}",
            name=name,
            description=description,
            data_types=[DataType.INTEGER],
            source=source,
        )
