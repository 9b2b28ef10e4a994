"""ADBench: names, sources and hashes of its 195 files; from a local folder or by verified download.

Source: Han et al., "ADBench: Anomaly Detection Benchmark", NeurIPS 2022, github.com/Minqi824/ADBench at
COMMIT, under the BSD-2 licence in `adbench-LICENSE` beside this file.
"""

import csv
import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.limits import DOWNLOAD_BYTES, read_limited
from xadbench.datasets.common.names import did_you_mean
from xadbench.datasets.table import LabelledTable

COMMIT = "3dac8221081e190f157d78e93bfa8867f90d0965"
SOURCE = f"https://raw.githubusercontent.com/Minqi824/ADBench/{COMMIT}/adbench/datasets"
FOLDER_VARIABLE = "XADBENCH_ADBENCH_DIR"


@dataclass(frozen=True)
class AdbenchFile:
    """One line of the registry: a file of ADBench and what its bytes hash to.

    `sha256` is empty where only git's own hash of the file (SHA-1 over a header and the bytes) is known, and
    `size`, in bytes, is None, and so may be the numbers of rows and features.
    """

    group: str
    file: str
    name: str
    git_blob_sha1: str
    sha256: str
    size: int | None
    n_samples: int | None = None
    n_features: int | None = None

    @property
    def full_name(self) -> str:
        """The group and the name: unique, where the name alone may stand for several files."""
        return f"{self.group}/{self.name}"

    @property
    def most_bytes(self) -> int:
        """The limit of the file's length: the length itself where it is known."""
        return DOWNLOAD_BYTES if self.size is None else self.size

    def check(self, content: bytes, where: str) -> None:
        """Raise InputError unless `content` is this file."""
        if self.sha256:
            found, expected = hashlib.sha256(content).hexdigest(), f"SHA-256 {self.sha256}"
        else:
            found, expected = _git_blob_sha1(content), f"git blob SHA-1 {self.git_blob_sha1}"
        if not expected.endswith(found):
            raise InputError(
                f"{where}: truncated or altered: {len(content)} bytes hash to {found}, expected {expected}"
            )


def _git_blob_sha1(content: bytes) -> str:
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@cache
def adbench_registry() -> dict[str, AdbenchFile]:
    """Return all files of ADBench by their full name, `group/name`."""
    text = (files("xadbench.datasets.sources") / "adbench.csv").read_text(encoding="utf-8")
    entries = (
        AdbenchFile(
            **{key: row[key] for key in ("group", "file", "name", "git_blob_sha1", "sha256")},
            size=_number(row["bytes"]),
            n_samples=_number(row["n_samples"]),
            n_features=_number(row["n_features"]),
        )
        for row in csv.DictReader(StringIO(text))
    )
    return {entry.full_name: entry for entry in entries}


def _number(text: str) -> int | None:
    return int(text) if text else None


def adbench_names() -> list[str]:
    """Return the shortest name of every file: with its group only where files of two groups share one."""
    registry = adbench_registry().values()
    shared = Counter(entry.name for entry in registry)
    return [entry.name if shared[entry.name] == 1 else entry.full_name for entry in registry]


def find_adbench(name: str) -> AdbenchFile:
    """Return the registry's entry for a name ("PageBlocks") or a full name ("CV_by_ViT/CIFAR10_0").

    Raises
    ------
    InputError
        If no file, or more than one, has that name.
    """
    registry = adbench_registry()
    found = [entry for entry in registry.values() if name in {entry.name, entry.full_name}]
    if len(found) > 1:
        choices = " or ".join(entry.full_name for entry in found)
        raise InputError(f"ADBench name {name!r} stands for {len(found)} files; say {choices}")
    if not found:
        known = {key for entry in registry.values() for key in (entry.name, entry.full_name)}
        hint = did_you_mean(name, sorted(known))
        raise InputError(f"unknown ADBench data set {name!r}{hint}; `xadbench list datasets` lists them")
    return found[0]


def load_adbench(name: str, folder: str | os.PathLike[str] | None = None) -> LabelledTable:
    """Return a data set of ADBench, verified against the registry before it is read.

    Parameters
    ----------
    name
        Its name, such as "PageBlocks"; where several files share one, with the group before it.
    folder
        Where the files lie, flat or in ADBench's group folders. Default: the environment variable
        XADBENCH_ADBENCH_DIR; without either, the file is downloaded once and kept in the user's cache.

    Raises
    ------
    InputError
        If the name is unknown, or the file is missing, truncated, altered or beyond the limit, or cannot be
        downloaded.
    """
    entry, chosen = find_adbench(name), _chosen(folder)
    path = adbench_path(name, folder)
    try:
        content = read_limited(path, DOWNLOAD_BYTES)
        entry.check(content, where=str(path))
    except InputError:
        if not chosen:
            path.unlink()
        raise
    return _parse(entry, content)


def adbench_path(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """Return where the file of a data set lies, downloaded if need be, not verified; as `load_adbench`."""
    entry, chosen = find_adbench(name), _chosen(folder)
    return _local(entry, Path(chosen)) if chosen else _download(entry)


def _chosen(folder: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    return folder if folder is not None else os.environ.get(FOLDER_VARIABLE)


def _local(entry: AdbenchFile, folder: Path) -> Path:
    for path in (folder / entry.group / entry.file, folder / entry.file):
        if path.is_file():
            return path
    raise InputError(f"{folder} has no file {entry.file}; unset {FOLDER_VARIABLE} to download it")


def _download(entry: AdbenchFile) -> Path:
    from .download import download  # noqa: PLC0415  # pooch takes a while to import

    url = f"{SOURCE}/{entry.group}/{entry.file}"
    place = Path("adbench") / entry.group / entry.file
    try:
        return download(url, place, entry.most_bytes, partial(entry.check, where=url))
    except OSError as error:  # all of requests' among it
        hint = f"set {FOLDER_VARIABLE} to a folder that holds {entry.file}"
        raise InputError(f"cannot download {url} ({type(error).__name__}); {hint}") from None


def _parse(entry: AdbenchFile, content: bytes) -> LabelledTable:
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        X, y = arrays["X"], arrays["y"]
    provenance = {
        "source": "adbench",
        "name": entry.full_name,
        "file": entry.file,
        "commit": COMMIT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "BSD-2-Clause",
    }
    return LabelledTable(X=X, y=y.ravel(), provenance=provenance)
