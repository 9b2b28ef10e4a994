"""Data sets that hold rows of one source: the declared list beside this file, and the search for it.

`python -m xadbench.datasets.sources.overlaps FOLDER` searches a folder of ADBench's files.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

from .adbench import adbench_registry, load_adbench

LEAST_SHARE = 0.1  # of the distinct rows of the smaller set
DECIMALS = 5  # that rows agree to once each column is scaled to 0..1


class Overlap(NamedTuple):
    """Two data sets, how many distinct rows they share, and their share of the smaller set's.

    `found_by` is "rows" where these are equal, "scaled rows" where they are so once each column is scaled to
    0..1.
    """

    first: str
    second: str
    found_by: str
    shared: int
    share: float


@cache
def declared_sources() -> Mapping[str, str]:
    """Return the source of each data set that shares one with another, by the set's name.

    In the list, `found_by` is that of `Overlap`, or "origin" where the sets' descriptions alone tell: rows
    that were scaled apart, or other columns of the same study.
    """
    text = (files("xadbench.datasets.sources") / "overlaps.csv").read_text(encoding="utf-8")
    pairs = list(csv.DictReader(StringIO(text)))
    return {pair[name]: pair["source"] for pair in pairs for name in ("first", "second")}


def find_overlaps(sets: Mapping[str, FloatArray]) -> Iterator[Overlap]:
    """Yield the pairs of sets (n, d) of which the smaller has LEAST_SHARE of its distinct rows in the other.

    Rows of 0 and 1 alone say little, and do not count.
    """
    for found_by, values in (("rows", _as_they_are), ("scaled rows", _scaled)):
        rows = {name: (X.shape[1], _distinct(values(X))) for name, X in sets.items()}
        for (first, (d, own)), (second, (other_d, other)) in combinations(rows.items(), 2):
            smaller = min(len(own), len(other))
            shared = len(own & other) if d == other_d else 0
            if shared and shared >= LEAST_SHARE * smaller:
                yield Overlap(first, second, found_by, shared, round(shared / smaller, 3))


def _as_they_are(X: FloatArray) -> FloatArray:
    return X


def _scaled(X: FloatArray) -> FloatArray:
    low, high = X.min(axis=0), X.max(axis=0)
    scaled: FloatArray = np.round((X - low) / np.where(high > low, high - low, 1), DECIMALS)
    return scaled


def _distinct(X: FloatArray) -> set[bytes]:
    telling = X[~np.isin(X, (0, 1)).all(axis=1)] + 0.0  # -0.0 is 0.0
    return {row.tobytes() for row in np.ascontiguousarray(telling)}


def _main(folder: str) -> None:
    there = {path.name for path in Path(folder).rglob("*.npz")}
    entries = [entry for entry in adbench_registry().values() if entry.file in there]
    sets = {entry.full_name: load_adbench(entry.full_name, folder).X for entry in entries}
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(Overlap._fields)
    out.writerows(find_overlaps(sets))


if __name__ == "__main__":
    _main(sys.argv[1])
