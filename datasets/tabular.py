"""A user's own file as a table: CSV or Parquet, numbers only, with a column of labels if there is one."""

import csv
import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .common.arrays import BoolArray, FloatArray
from .common.errors import InputError
from .common.json_files import parse_json
from .common.limits import check_cells, check_table_bytes, open_plain
from .common.parquet import opened, read_numbers
from .common.values import LARGEST, TOO_LARGE, NotANumber, numbers
from .table import InvalidTable, LabelledTable

INTEGER = r"\s*[+-]?[0-9]+\s*"
Names = tuple[str, ...]


def is_tabular(name: str) -> bool:
    """Tell whether `name` ends like a file that `read_tabular` reads."""
    return Path(name).suffix.lower() in READERS


def read_tabular(
    path: str | os.PathLike[str], label: str | None = None, *, expected: Sequence[str] = ()
) -> LabelledTable:
    """Return the table of a CSV or Parquet file.

    Parameters
    ----------
    path
        Ends in .csv (UTF-8, commas, column names in the first line) or .parquet. Every column but that of the
        labels is a feature; truth values count as 0 and 1. An index that pandas stored in a Parquet file is
        no column.
    label
        The name of the column that tells the anomalous rows: 1 or true. Default: all rows are normal.
    expected
        The names of the columns where they are known before: these may be any text.

    Returns
    -------
    LabelledTable
        Without mask; the provenance has the file's name and SHA-256.

    Raises
    ------
    InputError
        If the file cannot be read or has no row; if a column name is missing or comes twice; if a feature
        holds text, a missing or an infinite value (such as an empty line of a single column), or an integer
        beyond 2**53; or if there is no such column of labels, or it holds anything but 0 and 1. Rows are
        counted from 1, after the header.
    """
    file = Path(path)
    content = _bytes(file)
    frame = _frame(file, content, tuple(expected))
    y = np.zeros(len(frame), dtype=np.bool_) if label is None else _labels(frame, label, file)
    features = frame.drop(columns=[] if label is None else [label])
    provenance = {
        "source": "file",
        "file": file.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "label": label,
    }
    columns = [_numbers(features[name], file) for name in features]
    X = np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))
    try:
        return LabelledTable(X=X, y=y, feature_names=tuple(map(str, features)), provenance=provenance)
    except InvalidTable as error:
        raise InputError(f"{file}: {error}") from None


def _bytes(file: Path) -> bytes:
    if not is_tabular(file.name):
        raise InputError(f"{file}: not a file that can be read; expected one of *{', *'.join(READERS)}")
    try:
        with open_plain(file) as opened_file:
            check_table_bytes(os.fstat(opened_file.fileno()).st_size, str(file))
            return opened_file.read()
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _frame(file: Path, content: bytes, expected: Names) -> pd.DataFrame:
    frame = READERS[file.suffix.lower()](content, file, expected)
    if frame.empty:
        raise InputError(f"{file}: no rows; expected at least 1 below the column names")
    return frame


def _read_csv(content: bytes, file: Path, expected: Names) -> pd.DataFrame:
    try:
        names = _csv_header(content)
        check_cells(content.count(b"\n"), len(names), str(file))
        if tuple(names) != expected:
            _check_names(names, file)
            _check_not_numbers(names, file)
        frame = _csv_rows(content, len(names)).set_axis(names, axis="columns")
        _check_integers(frame, content, file)
    except InputError:
        raise
    except (csv.Error, OSError, ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{file}: cannot be read: {' '.join(str(error).split())}") from None
    return frame


def _csv_header(content: bytes) -> list[str]:
    """Return the names of the columns; pandas, with a million of them, would need gigabytes."""
    lines = TextIOWrapper(BytesIO(content), encoding="utf-8-sig", newline="")
    names = next(filter(None, csv.reader(lines)), None)
    if names is None:
        raise ValueError("No columns to parse from file")
    return names


def _csv_rows(content: bytes, n_columns: int, **how: Any) -> pd.DataFrame:
    # In one column, an empty line is a missing value; before the names it is none.
    how |= {"skip_blank_lines": n_columns > 1}
    content = content.lstrip(b"\r\n") if n_columns == 1 else content
    with warnings.catch_warnings():
        # Else rows longer than the header lose values.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        # Correctly rounded: pandas 3 does so by default, and deprecates the word that older ones need.
        warnings.filterwarnings("ignore", message="The 'float_precision' argument")
        frame: pd.DataFrame = pd.read_csv(
            BytesIO(content), index_col=False, float_precision="round_trip", low_memory=False, **how
        )
        return frame


def _check_integers(frame: pd.DataFrame, content: bytes, file: Path) -> None:
    """Raise InputError for an integer that float64 would round, in a column that pandas read as float64."""
    large = [
        i
        for i, (_, column) in enumerate(frame.items())
        if column.dtype == np.float64 and (column.abs() >= LARGEST).any()
    ]
    if not large:
        return
    text = _csv_rows(content, frame.shape[1], usecols=large, dtype=str)
    for i, (_, written) in zip(large, text.items(), strict=True):
        is_integer = written.str.fullmatch(INTEGER, na=False).to_numpy()
        bad = is_integer & (frame.iloc[:, i].abs() >= LARGEST).to_numpy()
        bad[bad] = [abs(int(one)) > LARGEST for one in written[bad]]
        _refuse(file, str(frame.columns[i]), bad, written, TOO_LARGE)


def _read_parquet(content: bytes, file: Path, expected: Names) -> pd.DataFrame:
    with opened(BytesIO(content), str(file)) as stored:
        index = _index_columns(stored.schema_arrow.metadata or {}, file)
        names = [name for name in stored.schema_arrow.names if name not in index]
        if tuple(names) != expected:
            _check_names(names, file)
        return read_numbers(stored, names, str(file))


def _index_columns(metadata: Mapping[bytes, bytes], file: Path) -> frozenset[str]:
    """Return the columns that pandas stored an index in."""
    reported = parse_json(metadata.get(b"pandas", b"{}"), f"{file}: pandas's metadata")
    columns = reported.get("index_columns") if isinstance(reported, dict) else None
    return (
        frozenset(name for name in columns if isinstance(name, str))
        if isinstance(columns, list)
        else frozenset()
    )


READERS: dict[str, Callable[[bytes, Path, Names], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _check_names(names: Sequence[str], file: Path) -> None:
    if "" in names:
        raise InputError(f"{file}: column {names.index('') + 1} has no name; expected one for each column")
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise InputError(f"{file}: column {name!r} comes {count} times; expected distinct names")


def _check_not_numbers(names: Sequence[str], file: Path) -> None:
    """Refuse the first line of a CSV that has no names; those of a Parquet file may look like numbers."""
    if names and all(map(_is_number, names)) and names != [str(i) for i in range(len(names))]:
        raise InputError(f"{file}: the first line holds numbers; expected the names of the columns")


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _labels(frame: pd.DataFrame, label: str, file: Path) -> BoolArray:
    if label not in frame:
        raise InputError(f"{file}: no column {label!r} for the labels; columns: {', '.join(map(str, frame))}")
    values = _numbers(frame[label], file)
    _refuse(file, label, (values != 0) & (values != 1), frame[label], "expected 0 or 1")
    return np.asarray(values == 1)


def _numbers(column: "pd.Series[float]", file: Path) -> FloatArray:
    """Return a column as float64, (n,); raise InputError where that is not what it holds."""
    name = str(column.name)
    _refuse(file, name, column.isna().to_numpy(), column, "a missing value; expected a number")
    if not pd.api.types.is_numeric_dtype(column.dtype):
        text = pd.to_numeric(column, errors="coerce").isna().to_numpy()
        _refuse(file, name, text, column, "not a number")
        raise InputError(f"{file}: column {name!r} holds {column.dtype} values; expected numbers")
    try:
        values: FloatArray = np.asarray(numbers(column, name), dtype=np.float64)
    except NotANumber as error:
        _refuse(file, name, np.arange(len(column)) == error.row, column, error.reason)
        raise
    _refuse(file, name, ~np.isfinite(values), column, "expected a finite number")
    return values


def _refuse(file: Path, name: str, bad: BoolArray, column: "pd.Series[float]", what: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{file}: column {name!r}, row {row + 1}: {str(column.iloc[row])!r:.60}: {what}")
