"""Tables on disk: a folder of Parquet files and one JSON file with the content hash."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from .common.checks import at_least
from .common.errors import InputError
from .common.json_files import read_json
from .common.limits import open_plain
from .common.parquet import CHUNK_ROWS, RowWriter, opened, read_numbers, row_groups
from .common.paths import inside
from .common.specs import build_spec
from .table import InvalidTable, LabelledTable, check_names, check_table

FORMAT = 1
ARRAYS = ("X", "y", "kind", "mask", "clean")
SAMPLES, HEADER = "samples.parquet", "table.json"
LABELS = ("y", "kind")


def content_hash(table: LabelledTable) -> str:
    """Return the table's identity: SHA-256 over its arrays, whatever the library versions.

    Each of X, y, kind, mask and clean gives its name, dtype, shape and little-endian C-order bytes; an absent
    one gives its name alone.
    """
    check_table(table, "table")
    arrays = {name: getattr(table, name) for name in ARRAYS}
    return _hash({name: None if own is None else _Rows.of(own) for name, own in arrays.items()})


class _Rows(NamedTuple):
    """An array that may be too long for memory: its type, its shape, and its rows part by part."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parts: Iterable[NDArray[Any]]

    @classmethod
    def of(cls, array: NDArray[Any]) -> Self:
        return cls(array.dtype, array.shape, [array])


def _hash(arrays: Mapping[str, _Rows | None]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(name.encode())
        if array is not None:
            little = array.dtype.newbyteorder("<")
            digest.update(f"{little.str}{array.shape}".encode())
            for part in array.parts:
                digest.update(np.ascontiguousarray(part, dtype=little).data)
    return digest.hexdigest()


class Written(NamedTuple):
    """A table on disk: where, what identifies it, and its size."""

    folder: Path
    content_hash: str
    n_rows: int
    n_features: int
    n_anomalies: int
    kinds: tuple[str, ...]


def write_table(table: LabelledTable, folder: str | os.PathLike[str]) -> Path:
    """Write `table` as a new folder; it appears whole or not at all.

    Raises
    ------
    InputError
        If `folder` exists already: a table is never overwritten; or if `table` is none.
    """
    check_table(table, "table")
    return write_parts([table], folder).folder


def write_parts(
    parts: Iterable[LabelledTable], folder: str | os.PathLike[str], chunk_rows: int = CHUNK_ROWS
) -> Written:
    """Write a table that need not fit into memory as a new folder; it appears whole or not at all.

    Parameters
    ----------
    parts
        The table in parts, at least one, alike except for their rows.
    folder
        Where to; it must not exist.
    chunk_rows
        Rows of a Parquet row group, at least 1: so many are held in memory. Does not alter the content.

    Raises
    ------
    InputError
        If `folder` exists already: a table is never overwritten. If `chunk_rows` is out of range, there is
        no part, or the parts differ in more than their rows.
    """
    at_least(1, chunk_rows=chunk_rows)
    with new_folder(Path(folder)) as draft:
        last, n_rows, n_anomalies = _write_rows(parts, draft, chunk_rows)
        whole = last.n_rows == n_rows
        found = content_hash(last) if whole else _hash(dict(_stored(draft, last, n_rows)))
        header = json.dumps(_header(last, found), indent=1, sort_keys=True) + "\n"
        (draft / HEADER).write_text(header, encoding="utf-8", newline="\n")
    return Written(Path(folder), found, n_rows, last.n_features, n_anomalies, last.kinds)


def _write_rows(
    parts: Iterable[LabelledTable], draft: Path, chunk_rows: int
) -> tuple[LabelledTable, int, int]:
    """Write the rows, and return the last part, the number of rows and that of anomalies."""
    n_rows = n_anomalies = 0
    first = part = None
    with ExitStack() as stack:
        files: dict[str, RowWriter] = {}
        for part in parts:
            first = first or part
            if _alike(part) != _alike(first):
                raise InputError("the parts of a table differ in names, kinds, or in what they know")
            for name, columns in _columns(part):
                if name not in files:
                    files[name] = stack.enter_context(RowWriter(draft / name, chunk_rows))
                files[name].add(columns)
            n_rows, n_anomalies = n_rows + part.n_rows, n_anomalies + int(part.y.sum())
    if part is None:
        raise InputError("a table has no part; expected at least one")
    return part, n_rows, n_anomalies


def _alike(table: LabelledTable) -> tuple[object, ...]:
    """Return what all parts of a table share."""
    return table.feature_names, table.kinds, table.mask is None, table.clean is None


def _columns(table: LabelledTable) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Yield the name of each file, and its columns of these rows."""

    def named(array: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return dict(zip(table.feature_names, np.ascontiguousarray(array.T), strict=True))

    yield SAMPLES, named(table.X) | {"y": table.y, "kind": table.kind}
    for name in ("mask", "clean"):
        if getattr(table, name) is not None:
            yield f"{name}.parquet", named(getattr(table, name))


def _stored(folder: Path, part: LabelledTable, n_rows: int) -> Iterator[tuple[str, _Rows | None]]:
    """Yield the arrays of a written table that `part` is a part of, read row group by row group."""
    names = list(part.feature_names)
    columns: dict[str, str | list[str]] = {"y": "y", "kind": "kind"}
    for name in ARRAYS:
        own = getattr(part, name)
        file = f"{name}.parquet" if name in {"mask", "clean"} else SAMPLES
        rows = row_groups(folder / file, columns.get(name, names))
        yield name, None if own is None else _Rows(own.dtype, (n_rows, *own.shape[1:]), rows)


def _header(table: LabelledTable, found: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "content_hash": found,
        "kinds": list(table.kinds),
        "feature_names": list(table.feature_names),
        "has_mask": table.mask is not None,
        "has_clean": table.clean is not None,
        "provenance": table.provenance,
    }


class Header(BaseModel, frozen=True):
    """What `table.json` says of the arrays beside it."""

    content_hash: str
    kinds: tuple[str, ...]
    feature_names: tuple[str, ...] = Field(min_length=1)
    has_mask: bool
    has_clean: bool
    provenance: dict[str, Any]


def read_table(folder: str | os.PathLike[str]) -> LabelledTable:
    """Read a table that `write_table` wrote, and check it against its content hash.

    Raises
    ------
    InputError
        If a file is missing, unreadable, a link out of the folder or beyond what `limits` has, or the content
        is not what was written.
    """
    source = Path(folder)
    header = read_header(source)
    try:
        table = _read_rows(source, header)
    except InvalidTable as error:
        raise InputError(f"{source}: {error}") from None
    if (found := content_hash(table)) != header.content_hash:
        raise InputError(f"{source}: content hash is {found}, expected {header.content_hash:.80}: altered")
    return table


def _read_rows(folder: Path, header: Header) -> LabelledTable:
    names = header.feature_names
    check_names(names, len(names))  # first: a name a million times would give as many columns
    samples = _read_frame(folder, SAMPLES, [*names, *LABELS])
    frames: dict[str, Any] = {"X": samples[[*names]]}
    for name, is_there in {"mask": header.has_mask, "clean": header.has_clean}.items():
        if is_there:
            frames[name] = _read_frame(folder, f"{name}.parquet", names)
    return LabelledTable(
        **frames,
        y=samples["y"].to_numpy(),
        kind=samples["kind"].to_numpy(),
        kinds=header.kinds,
        feature_names=names,
        provenance=header.provenance,
    )


def file_hashes(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the SHA-256 of a file, or of each file in a folder and below, by its path there.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    root = Path(path)
    files = sorted(one for one in root.rglob("*") if one.is_file()) if root.is_dir() else [root]
    try:
        return {str(one.relative_to(root)): _file_hash(one) for one in files}
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _file_hash(path: Path) -> str:
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_header(folder: Path) -> Header:
    """Return what `table.json` says of the table in a folder, whose rows are not read.

    Raises
    ------
    InputError
        If there is none, or it is not one that `write_table` wrote.
    """
    path = inside(folder, HEADER)
    values = read_json(path, "a table written by XADBench")
    if values.get("format") != FORMAT:
        raise InputError(f"{path}: not a table of format {FORMAT}")
    return build_spec(values, Header, where=str(path))


def _read_frame(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    path = inside(folder, name)
    with opened(path, str(path)) as file:
        return read_numbers(file, columns, str(path))


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a draft folder beside `target` that becomes `target` at the end, or vanishes on an error."""
    if target.exists():
        raise InputError(f"{target} exists already; choose another folder or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        _rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _rename(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
        raise InputError(f"{target} exists by now; another process was first") from None


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write to; at the end it takes the place of `path`, or on an error it vanishes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{path.parent} is no folder; remove it, or choose another folder") from None
    if path.is_dir():
        raise InputError(f"{path} is a folder; remove it, or choose another folder")
    with tempfile.NamedTemporaryFile(prefix=f".{path.name}-", dir=path.parent, delete=False) as file:
        draft = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.chmod(0o644)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
