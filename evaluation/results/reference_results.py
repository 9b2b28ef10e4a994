"""Results that ship with the package, so that whoever scores an explainer need not compute the baselines."""

import gzip
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from xadbench.datasets.common.errors import unknown

from .record import TrialRecord, as_trial

SHIPPED = "shipped:"
SUFFIX = ".jsonl.gz"
HERE = Path(__file__).parent / "reference"


def shipped_suites() -> list[str]:
    """Return the names of the suites whose results are shipped."""
    found = (path.name for path in files("xadbench.evaluation.results.reference").iterdir())
    return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))


def shipped(suite: str) -> list[TrialRecord]:
    """Return the shipped records of a suite.

    Each is as a run's folder holds it, and has an `origin`: what `run.json` said of the run, such as
    `commit`, `cpu` and `started`.

    Raises
    ------
    InputError
        If no results of that suite are shipped.
    """
    if suite not in shipped_suites():
        raise unknown("suite with shipped results", suite, shipped_suites())
    content = gzip.decompress(
        (files("xadbench.evaluation.results.reference") / f"{suite}{SUFFIX}").read_bytes()
    )
    about, *records = map(json.loads, content.splitlines())
    return [as_trial(record | {"origin": about}, f"{SHIPPED}{suite}") for record in records]


def all_shipped() -> Iterator[TrialRecord]:
    """Yield the shipped records of every suite."""
    for suite in shipped_suites():
        yield from shipped(suite)


def is_shipped(record: TrialRecord) -> bool:
    """Whether a record was computed for the package, and not on this machine."""
    return record.origin is not None
