"""Tables on disk: a folder of Parquet files and one JSON file with the content hash."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError
from xadbench.datasets.table import LabelledTable

FORMAT = 1
HEADER_KEYS = {"content_hash", "kinds", "feature_names", "has_mask", "has_clean", "provenance"}


def content_hash(table: LabelledTable) -> str:
    """Return the table's identity: SHA-256 over its arrays, whatever the library versions.

    Each of X, y, kind, mask and clean gives its name, dtype, shape and little-endian C-order bytes; an absent
    one gives its name alone.
    """
    digest = hashlib.sha256()
    for name in ("X", "y", "kind", "mask", "clean"):
        _update(digest, name, getattr(table, name))
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", name: str, array: NDArray[Any] | None) -> None:
    digest.update(name.encode())
    if array is not None:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{little.dtype.str}{little.shape}".encode())
        digest.update(little.tobytes())


def write_table(table: LabelledTable, folder: str | os.PathLike[str]) -> Path:
    """Write `table` as a new folder; it appears whole or not at all.

    Raises
    ------
    InputError
        If `folder` exists already: a table is never overwritten.
    """
    target = Path(folder)
    with new_folder(target) as draft:
        labels = {"y": table.y, "kind": table.kind}
        _frame(table.X, table).assign(**labels).to_parquet(draft / "samples.parquet", index=False)
        for name in ("mask", "clean"):
            if getattr(table, name) is not None:
                _frame(getattr(table, name), table).to_parquet(draft / f"{name}.parquet", index=False)
        (draft / "table.json").write_text(json.dumps(_header(table), indent=1, sort_keys=True) + "\n")
    return target


def _frame(values: NDArray[Any], table: LabelledTable) -> pd.DataFrame:
    return pd.DataFrame(values, columns=list(table.feature_names))


def _header(table: LabelledTable) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "content_hash": content_hash(table),
        "kinds": list(table.kinds),
        "feature_names": list(table.feature_names),
        "has_mask": table.mask is not None,
        "has_clean": table.clean is not None,
        "provenance": table.provenance,
    }


def read_table(folder: str | os.PathLike[str]) -> LabelledTable:
    """Read a table that `write_table` wrote, and check it against its content hash.

    Raises
    ------
    InputError
        If a file is missing or unreadable, or the content is not what was written.
    """
    source = Path(folder)
    header = _read_header(source / "table.json")
    names = header["feature_names"]
    samples = _read_frame(source / "samples.parquet", [*names, "y", "kind"])
    table = LabelledTable(
        X=_values(samples[names]),
        y=samples["y"].to_numpy(),
        kind=samples["kind"].to_numpy(),
        kinds=header["kinds"],
        mask=_read_frame(source / "mask.parquet", names).to_numpy() if header["has_mask"] else None,
        clean=_values(_read_frame(source / "clean.parquet", names)) if header["has_clean"] else None,
        feature_names=names,
        provenance=header["provenance"],
    )
    if (found := content_hash(table)) != header["content_hash"]:
        raise InputError(f"{source}: content hash is {found}, expected {header['content_hash']}: altered")
    return table


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table written by XADBench: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(f"{path}: not a table of format {FORMAT}")
    if missing := sorted(HEADER_KEYS - header.keys()):
        raise InputError(f"{path}: lacks {', '.join(missing)}")
    return header


def _read_frame(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=columns)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


def _values(frame: pd.DataFrame) -> FloatArray:
    return frame.to_numpy(dtype=np.float64)


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
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write to; at the end it takes the place of `path`, or on an error it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
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
