"""One way to name any data set: `bundled:wine`, `adbench:PageBlocks`, or the folder of a written table."""

from collections.abc import Callable
from pathlib import Path

from xadbench.datasets.adbench import load_adbench
from xadbench.datasets.bundled import load_bundled
from xadbench.datasets.errors import InputError
from xadbench.datasets.files import read_table
from xadbench.datasets.table import LabelledTable

SOURCES: dict[str, Callable[[str], LabelledTable]] = {"adbench": load_adbench, "bundled": load_bundled}


def load_dataset(name: str) -> LabelledTable:
    """Return the data set of that name.

    Parameters
    ----------
    name
        "bundled:NAME", "adbench:NAME", or the path of a folder that `write_table` wrote.

    Raises
    ------
    InputError
        If there is no such source, data set or folder, or it does not verify.
    """
    source, colon, rest = name.partition(":")
    if colon and source in SOURCES:
        return SOURCES[source](rest)
    if (Path(name) / "table.json").is_file():
        return read_table(name)
    raise InputError(
        f"unknown data set {name!r}; expected bundled:NAME, adbench:NAME or the folder of a table "
        "(xadbench list datasets)"
    )
