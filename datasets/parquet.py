"""Parquet files that need not fit into memory: written and read a group of rows at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

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
