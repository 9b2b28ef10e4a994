"""What a run keeps on request beside its records: values row by row, and attributions, as Parquet.

A trial's own files, `rows/<key>.parquet` and `attributions/<key>.parquet`, are whole before its record is
written, which names them. `rows.parquet` is made from the former, as `results.parquet` is from the records.
"""

import io
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.parquet import opened, read_frame
from xadbench.datasets.common.paths import inside
from xadbench.datasets.files import atomic_write
from xadbench.datasets.table import free_names
from xadbench.evaluation.suite.spec import Artifact
from xadbench.evaluation.trial.evaluate import TOTAL, Evaluation
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from .frame import IDENTITY
from .store import Record, check_key

Explained = tuple[FloatArray, Evaluation]
OWN = ("__row__", "__detected__")  # the first columns, by names that no feature has: see `free_names`

_LABELS = ("key", "table", "seed", "detector", "explainer")
_WORD = pa.dictionary(pa.int32(), pa.string())
ROWS_SCHEMA = pa.schema(
    [
        *((name, pa.int64() if name == "seed" else _WORD) for name in _LABELS),
        ("row", pa.int64()),
        ("kind", _WORD),
        *((scope, pa.float64()) for scope in SCOPES),
        ("metric", _WORD),
        ("value", pa.float64()),
        ("adjusted", pa.float64()),
        ("total", pa.float64()),
    ]
)


def save(run: Path, key: str, wanted: Sequence[Artifact], explained: Explained, names: Sequence[str]) -> None:
    """Write what is wanted of a trial, each file whole or not at all.

    Parameters
    ----------
    run
        The run's folder.
    key
        The trial's.
    wanted
        Any of `rows` and `attributions`.
    explained
        The attributions (r, d), and what the metrics say of them.
    names
        The features' names (d,).
    """
    attributions, evaluation = explained
    for what in wanted:
        frame = _values(evaluation) if what == "rows" else _attributions(attributions, evaluation, names)
        _write(_path(run, what, key), frame)


def _path(run: Path, what: str, key: str) -> Path:
    return run / what / f"{check_key(key)}.parquet"


def _own(run: Path, what: str, key: str) -> Path:
    """Return the path of a trial's file that is there; `InputError` if it is no plain file in the run."""
    return inside(run, _path(run, what, key).relative_to(run).as_posix())


def _write(path: Path, frame: pd.DataFrame) -> None:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def _values(evaluation: Evaluation) -> pd.DataFrame:
    """Return a row each (row of the table, metric); a false alarm has the kind of a normal row."""
    kinds = {0: "normal", **evaluation.kinds}
    of_row = pd.DataFrame(
        {"row": evaluation.rows, "kind": [kinds[int(i)] for i in evaluation.kind], **evaluation.scopes}
    )
    undefined = np.full(len(of_row), np.nan)
    return pd.concat(
        [
            of_row.assign(
                metric=name,
                value=parts[""],
                adjusted=parts.get("adjusted_", undefined),
                total=parts.get(TOTAL, undefined),
            )
            for name, parts in evaluation.per_row.items()
        ],
        ignore_index=True,
    )


def _attributions(attributions: FloatArray, evaluation: Evaluation, names: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(attributions, columns=list(names))
    row, detected = free_names(OWN, names)
    frame.insert(0, row, evaluation.rows)
    frame.insert(1, detected, evaluation.scopes[HEADLINE_SCOPE])
    return frame


def lacking(run: Path, records: Sequence[Record], wanted: Sequence[Artifact]) -> Iterator[str]:
    """Yield, in words, of how many trials with scores what is wanted is not there.

    Those were finished before it was asked for, and what is finished is not run again; or their files can no
    longer be read.
    """
    scored = [record for record in records if record.status == "ok"]
    for what in wanted:
        there = _in_rows(run) if what == "rows" else {one.key for one in scored if _has(run, one, what)}
        if n := sum(record.key not in there for record in scored):
            yield (
                f"{n} of {len(scored)} trials with scores have no {what} kept: they were finished before, or "
                "their files were lost"
            )


def _has(run: Path, record: Record, what: Artifact) -> bool:
    """Whether a trial's file of that sort is there, as its record says, and can be opened."""
    if what not in record.artifacts:
        return False
    try:
        with opened(_own(run, what, record.key), what):
            return True
    except InputError:
        return False


def _in_rows(run: Path) -> set[str]:
    """Return the keys of the trials in `rows.parquet`."""
    try:
        with opened(inside(run, "rows.parquet"), "rows") as file:
            return set(file.read(columns=["key"]).column("key").unique().to_pylist())
    except InputError:
        return set()


def write_rows(run: Path, records: Sequence[Record]) -> None:
    """Write `rows.parquet` of the trials whose rows are kept, under their records' labels; none, no file.

    A trial whose file cannot be read any more is left out; `lacking` counts it.
    """
    tables = (_rows_of(run, record) for record in records if _has(run, record, "rows"))
    readable = (table for table in tables if table is not None)
    first = next(readable, None)
    if first is None:
        (run / "rows.parquet").unlink(missing_ok=True)
        return
    with atomic_write(run / "rows.parquet") as file, pq.ParquetWriter(file, ROWS_SCHEMA) as writer:
        for table in chain([first], readable):
            writer.write_table(table)


def _rows_of(run: Path, record: Record) -> pa.Table | None:
    try:
        own = read_frame(_own(run, "rows", record.key), "rows of a trial")
        total = own.get("total", np.nan)  # runs of before have none
        return _as_table(own.assign(**_labels(record), total=total))
    except (KeyError, TypeError, ValueError, pa.ArrowException):  # InputError too: no such file, or another
        return None


def _labels(record: Record) -> dict[str, Any]:
    return {"key": record.key, **dict(zip(IDENTITY, record.identity, strict=True))}


def _as_table(frame: pd.DataFrame) -> pa.Table:
    words = {field.name: "category" for field in ROWS_SCHEMA if field.type == _WORD}
    return pa.Table.from_pandas(frame[ROWS_SCHEMA.names].astype(words), preserve_index=False).cast(
        ROWS_SCHEMA
    )


def load_rows(run: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the values of a run's metrics row by row.

    Returns
    -------
    DataFrame
        One row each (trial, explained row, metric): `key`, `table`, `seed`, `detector` and `explainer` of the
        trial; `row`, its number in the table, and `kind`; `anomalies`, `detected` and `flagged`, its weight
        in the mean over that scope: 1 or 0, or the probability that it is among the highest scores where it
        is tied with others at the cut; `metric`; `value`, `adjusted` for chance, and `total`, where a metric
        is the sum of values over that of totals. All are NaN where not defined; where a metric use the
        ground truth, a false alarm has 0, as it counts in the mean over `flagged`.

    Raises
    ------
    InputError
        If the run kept no rows, or they are beyond the limits of a table.
    """
    what = "no values row by row; a run saves them with --save rows, or save: [rows] in the suite"
    return read_frame(inside(Path(run), "rows.parquet"), what)


def load_attributions(run: str | os.PathLike[str], key: str) -> pd.DataFrame:
    """Return the attributions of a trial by its key.

    Returns
    -------
    DataFrame
        One column a feature; the index has `row`, the number in the table, and `detected`, its weight in that
        scope, as of `load_rows`: 1 for an anomaly that the detector found.

    Raises
    ------
    InputError
        If the run kept no attributions of that trial, or they are beyond the limits of a table.
    """
    what = "no attributions; a run saves them with --save attributions, or save: [attributions] in the suite"
    path = _own(Path(run), "attributions", key)
    frame = read_frame(path, what)
    own = [*frame.columns[: len(OWN)]]
    if (*own,) != free_names(OWN, frame.columns[len(OWN) :]):
        raise InputError(f"{path}: not the attributions of a trial: its first columns are not {OWN}")
    return frame.set_index(own).rename_axis(["row", "detected"])
