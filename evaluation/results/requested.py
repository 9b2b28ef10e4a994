"""Which trials a run is asked for: its folder may hold others, from an earlier form of its suite."""

import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.parquet import read_frame
from xadbench.datasets.common.paths import inside
from xadbench.datasets.files import atomic_write

from . import store
from .frame import ResultFrame, flatten, read_stored
from .record import TrialRecord

FILE = store.REQUESTED
COLUMNS = ("key", "table", "origin", "seed", "detector", "explainer")
Requested = tuple[str, str, str, int, str, str]  # a trial's key, its labels and seed, and its table's origin


def write_requested(run: Path, requested: Iterable[Requested]) -> None:
    """Write `requested.parquet`: which trials the suite has, and what it calls them."""
    buffer = io.BytesIO()
    pd.DataFrame(requested, columns=COLUMNS).to_parquet(buffer, index=False)
    with atomic_write(run / FILE) as file:
        file.write(buffer.getvalue())


def read_requested_records(run: Path) -> tuple[list[TrialRecord], int]:
    """Return the records of the trials that a run is asked for, and the number of the others in its folder.

    They are in the suite's order and under its labels, which may be others than those of the run that wrote
    them. Of a run that does not say what it was asked for, an older one, all records count, the oldest first.

    Raises
    ------
    InputError
        If one is a JSON object, but not the record of a trial; it names the file and the key.
    """
    try:
        requested = read_frame(inside(run, FILE), "the trials of a run")
    except InputError:
        return store.read_records(run), 0
    if not {*COLUMNS} <= {*requested}:
        return store.read_records(run), 0
    found = []
    known = requested[list(COLUMNS)].dropna()
    for key, table, origin, seed, detector, explainer in known.itertuples(index=False, name=None):
        record = store.checked_record(run, key)
        if record is not None and record.seed == seed:
            found.append(record.labelled(table, origin, detector, explainer))
    return found, len({path.stem for path in store.paths(run)} - set(requested["key"]))


def read_requested(run: Path) -> tuple[ResultFrame, int]:
    """Return the frame of the trials that a run is asked for, and the number of its other records.

    That of `results.parquet`, where no record was written since; else made of the records.

    Raises
    ------
    InputError
        If one is a JSON object, but not the record of a trial; it names the file and the key.
    """
    try:
        frame, metadata = read_stored(inside(run, store.RESULTS), "results of a run")
    except InputError:
        metadata = {}
    if metadata.get(store.FINGERPRINT) == store.fingerprint(run):
        return frame, len({path.stem for path in store.paths(run)} - set(frame.trials["key"]))
    records, n_others = read_requested_records(run)
    return flatten(records), n_others
