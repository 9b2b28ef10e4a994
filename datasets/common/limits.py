"""How large and how deep an input may be: what is more is refused before it is used, in one line.

Far more than the project itself writes. Where a larger input is meant, CELLS_VARIABLE raises the limit of
tables; the others are fixed.
"""

import itertools
import os
import stat
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from io import BufferedReader
from pathlib import Path
from typing import Any

from .errors import InputError

SPEC_BYTES = 2**20  # a recipe, suite or release in YAML
JSON_BYTES = 2**26  # a header, a manifest, a trial's record, a saved detector's description
DEPTH = 100  # lists and mappings inside one another
VALUES = 2_000_000  # in one file; what stands under a YAML alias counts each time
INTEGER_BITS = 256
COMPONENTS = 10_000  # detectors or explainers of a suite, with those that grids stand for
CELLS = 500_000_000  # rows times columns of a table: 4 GB of float64
COLUMNS = 100_000
CELL_BYTES = 16  # of a CSV or Parquet file, for each cell that it may have
DOWNLOAD_BYTES = 2**28  # of a file whose length is not known before
CELLS_VARIABLE = "XADBENCH_MAX_CELLS"


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file to read it; `InputError` for a folder, pipe or device, which is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: a folder, a pipe or a device; expected a file")
    return os.fdopen(descriptor, "rb")


def read_limited(path: Traversable, most: int) -> bytes:
    """Return a plain file's bytes; `InputError` if it is longer than `most`, and then it is not read."""
    with open_plain(path) if isinstance(path, Path) else path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size if isinstance(path, Path) else 0
        content: bytes = b"" if size > most else file.read(most + 1)
    if max(size, len(content)) > most:
        raise InputError(f"{path}: more than {most} bytes, the limit of such files")
    return content


def check_values(values: Any, where: str) -> None:
    """Raise `InputError` unless what a JSON or YAML file holds is not too deep and not too much.

    Refused are also integers of more than INTEGER_BITS bits and text that is no Unicode (lone surrogates).
    """
    level, n_values = [values], 1
    for _ in range(DEPTH):
        # Each once: a text of a megabyte may stand under a hundred thousand aliases.
        for value in {id(value): value for value in level if isinstance(value, int | str)}.values():
            _check_scalar(value, where)
        containers = (value for value in level if isinstance(value, dict | list | tuple | set))
        children = itertools.chain.from_iterable(map(_children, containers))
        level = list(itertools.islice(children, VALUES - n_values + 1))
        n_values += len(level)
        if n_values > VALUES:
            raise InputError(f"{where}: more than {VALUES} values, the limit of such files (aliases count)")
        if not level:
            return
    raise InputError(f"{where}: nested more than {DEPTH} deep, the limit")


def _children(value: Any) -> Iterable[Any]:
    return itertools.chain(value.keys(), value.values()) if isinstance(value, dict) else value


def _check_scalar(value: Any, where: str) -> None:
    if isinstance(value, int) and value.bit_length() > INTEGER_BITS:
        raise InputError(f"{where}: holds an integer of more than {INTEGER_BITS} bits, the limit")
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(f"{where}: holds text that is not Unicode: {value!a:.60}") from None


def most_cells() -> int:
    """Return how many cells a table may have; `InputError` if CELLS_VARIABLE is no whole number above 0."""
    text = os.environ.get(CELLS_VARIABLE, str(CELLS))
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{CELLS_VARIABLE} is {text!r}, expected a whole number of at least 1")
    return int(text)


def check_cells(n_rows: int, n_columns: int, where: str) -> None:
    """Raise `InputError` if a table of that size is beyond the limits."""
    if n_columns > COLUMNS:
        raise InputError(f"{where}: {n_columns} columns, more than {COLUMNS}, the limit")
    if n_rows * n_columns > most_cells():
        raise InputError(
            f"{where}: {n_rows} rows of {n_columns} columns, more than {most_cells()} cells, the limit; "
            f"where so many are meant, set {CELLS_VARIABLE}"
        )


def check_table_bytes(n_bytes: int, where: str) -> None:
    """Raise `InputError` if a CSV or Parquet file of that length is beyond the limit."""
    if n_bytes > CELL_BYTES * most_cells():
        raise InputError(
            f"{where}: {n_bytes} bytes, more than {CELL_BYTES * most_cells()}, the limit; where so many are "
            f"meant, set {CELLS_VARIABLE}, which stands for {CELL_BYTES} bytes each"
        )


def memory_bytes() -> int | None:
    """Return how much memory the machine has; None where Python does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # no POSIX
        return None


def check_memory(n_bytes: int, what: str, instead: str) -> None:
    """Raise `InputError` if `what` needs more memory than the machine has; it says what to do `instead`."""
    has = memory_bytes()
    if has is not None and n_bytes > has:
        raise InputError(
            f"{what} would need about {n_bytes / 1e9:.3g} GB of memory, this machine has "
            f"{has / 1e9:.3g} GB; {instead}"
        )
