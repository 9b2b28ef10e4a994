"""Parquet files: those of numbers read whole, once their size is known; long ones by groups of rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .errors import InputError
from .limits import check_cells, open_plain

CHUNK_ROWS = 65_536


class RowWriter:
    """A Parquet file to which rows are added in parts of any length; its row groups are of one length.

    Parameters
    ----------
    path
        The file.
    chunk_rows
        Rows of a row group, at least 1; the last one may have fewer.
    """

    def __init__(self, path: Path, chunk_rows: int) -> None:
        self.path = path
        self.chunk_rows = chunk_rows
        self._file: pq.ParquetWriter | None = None
        self._waiting: pa.Table | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Write the row groups that are full with these rows; the others wait."""
        table = pa.table(dict(columns))
        if self._file is None:
            self._file = pq.ParquetWriter(self.path, table.schema)
        if self._waiting is not None:
            table = pa.concat_tables([self._waiting, table])
        while len(table) >= self.chunk_rows:
            self._file.write_table(table.slice(0, self.chunk_rows))
            table = table.slice(self.chunk_rows)
        self._waiting = table

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            if error is None and self._waiting is not None and len(self._waiting):
                self._file.write_table(self._waiting)
            self._file.close()


def row_groups(path: Path, columns: str | list[str]) -> Iterator[NDArray[Any]]:
    """Yield the row groups of a file, (k, len(columns)) each; (k,) for the name of one column."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            names = [columns] if isinstance(columns, str) else columns
            yield file.read_row_group(group, columns=names).to_pandas()[columns].to_numpy()


@contextmanager
def opened(source: Path | BytesIO, where: str) -> Iterator[pq.ParquetFile]:
    """Yield the opened file; what Arrow says of it, and of reading it, becomes an `InputError`."""
    try:
        with (
            open_plain(source) if isinstance(source, Path) else source as plain,
            pq.ParquetFile(plain) as file,
        ):
            yield file
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: a name that is not UTF-8
        raise InputError(f"{where}: cannot be read: {' '.join(str(error).split())}") from None


def read_numbers(file: pq.ParquetFile, columns: Sequence[str], where: str) -> pd.DataFrame:
    """Return the columns of an opened file, in that order.

    Raises
    ------
    InputError
        Before anything is read, if there is no such column, one holds anything but numbers or truth values,
        or the file declares more cells than the limit.
    """
    check_cells(declared_rows(file), len(columns), where)
    fields = {field.name: field.type for field in file.schema_arrow}
    for name in columns:
        if name not in fields:
            raise InputError(f"{where}: no column {name!r}")
        if not _is_number(fields[name]):
            raise InputError(f"{where}: column {name!r} holds {fields[name]!s:.60} values; expected numbers")
    frame: pd.DataFrame = file.read(columns=list(columns)).to_pandas(ignore_metadata=True)
    return frame[list(columns)]


def read_frame(path: Path, what: str) -> pd.DataFrame:
    """Return all columns, of any types; `InputError`, "PATH: WHAT: ...", if they cannot be read.

    The limits hold for rows and columns; text may be of any length.
    """
    with opened(path, f"{path}: {what}") as file:
        check_cells(declared_rows(file), len(file.schema_arrow), str(path))
        if file.metadata.num_rows > CHUNK_ROWS and len(set(names := file.schema_arrow.names)) == len(names):
            return _by_columns(file, names)
        frame: pd.DataFrame = file.read().to_pandas(ignore_metadata=True)  # which may be anybody's
        return frame


def _by_columns(file: pq.ParquetFile, names: Sequence[str]) -> pd.DataFrame:
    """Return all columns, read one after the other: at once, a long file would be held in memory twice."""
    # By its name, since Arrow reads a column "a.b" too where "a" is asked for.
    # A copy each, since what is Arrow's cannot be written to; not another one of all of them.
    columns = {name: file.read(columns=[name]).column(name).to_pandas().copy() for name in names}
    return pd.DataFrame(columns, copy=False)


def declared_rows(file: pq.ParquetFile) -> int:
    """Return the larger of the numbers of rows that the file and its row groups declare."""
    groups = (file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups))
    declared: int = max(file.metadata.num_rows, sum(groups))
    return declared


def _is_number(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean))
