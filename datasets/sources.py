"""One way to name any data set: `bundled:wine`, `adbench:PageBlocks`, a written table's folder, or a file."""

from collections.abc import Callable
from pathlib import Path

from xadbench.datasets.adbench import load_adbench
from xadbench.datasets.bundled import load_bundled
from xadbench.datasets.errors import InputError
from xadbench.datasets.files import read_table
from xadbench.datasets.table import LabelledTable
from xadbench.datasets.tabular import is_tabular, read_tabular

SOURCES: dict[str, Callable[[str], LabelledTable]] = {"adbench": load_adbench, "bundled": load_bundled}


def load_dataset(name: str, label: str | None = None) -> LabelledTable:
    """Return the data set of that name.

    Parameters
    ----------
    name
        "bundled:NAME", "adbench:NAME", the path of a folder that `write_table` wrote, or that of a CSV or
        Parquet file (`read_tabular` says what it may hold).
    label
        The column of labels in a CSV or Parquet file; the other sources know theirs.

    Raises
    ------
    InputError
        If there is no such source, data set, folder or file, or it does not verify; or if `label` is given
        for a source that is no CSV or Parquet file.
    """
    source, colon, rest = name.partition(":")
    known = SOURCES.get(source) if colon else None
    if known is None and is_tabular(name) and not Path(name).is_dir():
        return read_tabular(name, label)
    if label is not None:
        raise InputError(f"{name!r} has labels of its own; a label column goes with a CSV or Parquet file")
    if known is not None:
        return known(rest)
    if (Path(name) / "table.json").is_file():
        return read_table(name)
    raise InputError(
        f"unknown data set {name!r}; expected bundled:NAME, adbench:NAME, the folder of a table, or a .csv "
        "or .parquet file (xadbench list datasets)"
    )
