"""Result records on disk: one JSON file a trial, and the stored form of their tidy frame."""

import json
import math
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from xadbench.datasets.common import json_files
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.limits import JSON_BYTES, read_limited
from xadbench.datasets.common.parquet import opened
from xadbench.datasets.common.paths import inside, is_name
from xadbench.datasets.files import atomic_write

from .frame import read_stored, write_frame
from .record import RECORD_VERSION, TrialRecord, as_trial

DRAFT_SECONDS = 3600  # nothing takes that long to write
DRAFT = re.compile(r"\.[0-9a-f]{64}\.(json|parquet)-[a-z0-9_]{8}")  # of `atomic_write`, for a key or hash
FOLDERS = ("trials", "rows", "attributions", "tables", "made")  # where a run keeps files
RESULTS, REQUESTED = "results.parquet", "requested.parquet"
# What else may lie in a run's folder beside its `run.json`, as patterns.
OTHERS = ("*.parquet", "leaderboard.md", *FOLDERS, "detectors", "report")
HIDDEN = (".workers-*", ".*-????????")  # logs of workers, and drafts of `atomic_write`
FINGERPRINT = b"xadbench.records"  # the key in the metadata of RESULTS
Record = TrialRecord


def write_record(run: Path, record: TrialRecord) -> TrialRecord:
    """Write a trial's record under its key, whole or not at all, and return it."""
    write_json(_path(run, record.key), record.as_json(), indent=None)
    return record


def _path(run: Path, key: str) -> Path:
    return run / "trials" / f"{check_key(key)}.json"


def check_key(key: str) -> str:
    """Return a trial's key; raise `InputError` for a text that cannot be one, and might name another file."""
    if not is_name(key):
        raise InputError(f"{key!r:.80} is not the key of a trial")
    return key


def write_json(path: Path, values: object, indent: int | None = 1) -> None:
    """Write JSON values, NaN as null; on one line in a third of the time, without `indent`."""
    text = json.dumps(without_nan(values), indent=indent, sort_keys=True, default=str)
    with atomic_write(path) as file:
        file.write(f"{text}\n".encode())


def without_nan(values: Any) -> Any:
    """Return JSON values with None in place of NaN and infinities."""
    if isinstance(values, Mapping):
        return {key: without_nan(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [without_nan(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def read_trial(run: Path, key: str) -> TrialRecord | None:
    """Return the record of a trial, or None if there is none, or one that is not to be read as such."""
    try:
        return checked_record(run, key)
    except InputError:
        return None


def read_records(run: Path) -> list[TrialRecord]:
    """Return the readable records of a run, the oldest first.

    Raises
    ------
    InputError
        If one is a JSON object, but not the record of a trial; it names the file and the key.
    """
    by_age = sorted(paths(run), key=lambda path: (path.lstat().st_mtime_ns, path.name))
    return [record for path in by_age if (record := checked_record(run, path.stem)) is not None]


def paths(run: Path) -> Iterator[Path]:
    """Yield the files of the trials' records."""
    return (run / "trials").glob("*.json")


def checked_record(run: Path, key: str) -> TrialRecord | None:
    """Return the record of a trial, or None if there is none that can be read.

    Raises
    ------
    InputError
        If it is a JSON object, but not the record of a trial; it names the file and the key.
    """
    path = _path(run, key)
    values = read_json(path, run)
    return as_trial(values, str(path)) if values is not None and values.get("key") == key else None


def read_json(path: Path, run: Path | None = None) -> dict[str, Any] | None:
    """Return the JSON object of a file, or None if there is none that can be read.

    A link that leads out of the folder of the `run`, by default that of the file, is not followed.
    """
    folder = path.parent if run is None else run
    try:
        return json_files.read_json(inside(folder, path.relative_to(folder).as_posix()), "a record")
    except InputError:
        return None


def sweep(run: Path) -> None:
    """Remove what processes that were killed left half-written, but nothing that may be in the making.

    Only plain files named as `atomic_write` names its drafts, in folders of the run that are no links: others
    are not ours.
    """
    own = [run / folder for folder in FOLDERS if not (run / folder).is_symlink()]
    for draft in (draft for folder in own for draft in folder.glob(".*-*")):
        if draft.is_symlink() or not draft.is_file() or not DRAFT.fullmatch(draft.name):
            continue
        with suppress(FileNotFoundError):  # it is a record by now
            # The wall clock, since that is what files are dated by; no result depends on it.
            if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                draft.unlink()


def check_no_others(run: Path) -> None:
    """Raise `InputError` if a folder, in which no run began yet, holds what no run writes."""
    own = ("run.json", *OTHERS, *HIDDEN)
    others = [path.name for path in run.iterdir() if not any(fnmatchcase(path.name, one) for one in own)]
    if others:
        raise InputError(
            f"{run} holds no run, but {min(others)!r:.100}; choose a new or empty folder for the run"
        )


def write_results(run: Path, records: Sequence[TrialRecord]) -> None:
    """Write `results.parquet`, the stored form of the records' tidy frame, unless it is there already."""
    own = fingerprint(run)
    if not _is_fresh(run, own):
        write_frame(run / RESULTS, records, {FINGERPRINT: own})


def _is_fresh(run: Path, own: bytes) -> bool:
    try:
        with opened(inside(run, RESULTS), RESULTS) as file:
            return bool((file.schema_arrow.metadata or {}).get(FINGERPRINT) == own)
    except InputError:
        return False


def fingerprint(run: Path) -> bytes:
    """Return a hash of the records' names, sizes and times, and of the trials that the suite has."""
    digest = sha256(f"{RECORD_VERSION}".encode())
    with suppress(InputError, OSError):
        digest.update(read_limited(inside(run, REQUESTED), JSON_BYTES))
    with suppress(OSError):
        with os.scandir(run / "trials") as found:
            stats = ((one.name, one.stat(follow_symlinks=False)) for one in found)
            facts = [(name, of.st_size, of.st_mtime_ns) for name, of in stats]
        digest.update(repr(sorted(facts)).encode())
    return digest.hexdigest().encode()


def load(run: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the tidy results of a run folder: one row per (trial, scope, metric).

    Raises
    ------
    InputError
        If the folder holds no results.
    """
    frame, _ = read_stored(inside(Path(run), RESULTS), "no results of a run")
    return frame.tidy()
