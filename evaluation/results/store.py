"""Result records on disk: one JSON file a trial, and a tidy table made from them."""

import io
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from xadbench.datasets.common import json_files
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.parquet import read_frame
from xadbench.datasets.common.paths import is_name
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.metrics import Cost

from .record import check_trial

DRAFT_SECONDS = 3600  # nothing takes that long to write
FOLDERS = ("trials", "rows", "attributions", "tables", "made")  # where a run keeps files
REUSED = frozenset({"ok", "skipped"})
Record = dict[str, Any]


def write_record(run: Path, record: Record) -> Record:
    """Write a trial's record under its key, whole or not at all; return it as it will be read."""
    path = _path(run, record["key"])
    write_json(path, record, indent=None)
    written: Record = json.loads(path.read_text(encoding="utf-8"))
    return written


def _path(run: Path, key: str) -> Path:
    return run / "trials" / f"{check_key(key)}.json"


def check_key(key: str) -> str:
    """Return a trial's key; raise `InputError` for a text that cannot be one, and might name another file."""
    if not is_name(key):
        raise InputError(f"{key!r:.80} is no key of a trial")
    return key


def write_json(path: Path, values: object, indent: int | None = 1) -> None:
    """Write JSON values, NaN as null; on one line in a third of the time, without `indent`."""
    text = json.dumps(without_nan(values), indent=indent, sort_keys=True, default=str)
    with atomic_write(path) as file:
        file.write(f"{text}\n".encode())


def without_nan(values: Any) -> Any:
    """Return JSON values with None in place of NaN and infinities."""
    if isinstance(values, dict):
        return {key: without_nan(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [without_nan(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def read_record(run: Path, key: str) -> Record | None:
    """Return the record of a trial, or None if there is none or a crash left it unreadable."""
    record = read_json(_path(run, key))
    return record if record is not None and record.get("key") == key else None


def read_trial(run: Path, key: str) -> Record | None:
    """Return the record of a trial, or None if there is none, or one that is not to be read as such."""
    try:
        return checked_record(run, key)
    except InputError:
        return None


def read_records(run: Path) -> list[Record]:
    """Return the readable records of a run, the oldest first.

    Raises
    ------
    InputError
        If one is a JSON object, but not the record of a trial; it names the file and the key.
    """
    by_age = sorted(paths(run), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [record for path in by_age if (record := checked_record(run, path.stem)) is not None]


def paths(run: Path) -> Iterator[Path]:
    """Yield the files of the trials' records."""
    return (run / "trials").glob("*.json")


def checked_record(run: Path, key: str) -> Record | None:
    """Return the record of a trial, or None if there is none that can be read.

    Raises
    ------
    InputError
        If it is a JSON object, but not the record of a trial; it names the file and the key.
    """
    record = read_record(run, key)
    if record is not None:
        check_trial(record, str(_path(run, key)))
    return record


def labelled(record: Record, table: str, origin: str, detector: str, explainer: str) -> Record:
    """Return a record under other labels: those of a suite that reuses it; `origin` is its table's."""
    parts = {"table": {"label": table, "origin": origin}}
    parts |= {"detector": {"label": detector}, "explainer": {"label": explainer}}
    return record | {part: record[part] | told for part, told in parts.items()}


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object of a file, or None if there is none that can be read."""
    try:
        return json_files.read_json(path, "a record")
    except InputError:
        return None


def is_finished(record: Record | None) -> bool:
    """Whether a record is reused on resume; errors run again."""
    return record is not None and record.get("status") in REUSED


def sweep(run: Path) -> None:
    """Remove what processes that were killed left half-written, but nothing that may be in the making."""
    drafts = (draft for folder in FOLDERS for draft in (run / folder).glob(".*-*"))
    for draft in drafts:
        with suppress(FileNotFoundError):  # it is a record by now
            # The wall clock, since that is what files are dated by; no result depends on it.
            if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                draft.unlink()


def tidy(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row per (trial, scope, score); trials without scores give one row with scope None."""
    return pd.DataFrame([row for record in records for row in _rows(record)])


def _rows(record: Record) -> list[dict[str, Any]]:
    identity = {
        "key": record["key"],
        "table": record["table"]["label"],
        "origin": record["table"].get("origin"),
        "content_hash": record["table"]["content_hash"],
        "seed": record["seed"],
        "detector": record["detector"]["label"],
        "explainer": record["explainer"]["label"],
        "status": record["status"],
        "reason": record["reason"],
        "components": _as_text(record.get("components")),
        "seconds": record.get("seconds"),
        "kernel_units": record.get("kernel_units"),
        **_costs(record.get("cost", {})),
        "n_explained": record.get("n_explained"),
        "fit_seconds": record["detector"].get("fit_seconds"),
        **record["detector"].get("quality", {}),
    }
    scores = [
        {**identity, "scope": scope, "score": name, "value": value}
        for scope, values in record.get("scores", {}).items()
        for name, value in values.items()
    ]
    return scores or [{**identity, "scope": None, "score": None, "value": None}]


def _as_text(components: dict[str, Any] | None) -> str | None:
    return None if components is None else json.dumps(components, sort_keys=True, default=str)


def _costs(cost: dict[str, Any]) -> dict[str, Any]:
    """Return a column for each cost of each part, such as `cost_explain_cpu_seconds`; None if unknown."""
    parts = {part: cost.get(part, {}) for part in ("fit", "explain")}
    names = [field.name for field in fields(Cost)]
    return {f"cost_{part}_{name}": of_part.get(name) for part, of_part in parts.items() for name in names}


def write_results(run: Path, records: Sequence[Record]) -> None:
    """Write `results.parquet`, the tidy table of the records."""
    buffer = io.BytesIO()
    tidy(records).to_parquet(buffer, index=False)
    with atomic_write(run / "results.parquet") as file:
        file.write(buffer.getvalue())


def load(run: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the tidy results of a run folder: one row per (trial, scope, score).

    Raises
    ------
    InputError
        If the folder holds no results.
    """
    return read_frame(Path(run) / "results.parquet", "no results of a run")
