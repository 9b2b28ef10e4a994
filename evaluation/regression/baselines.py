"""Named baselines: a run's results and provenance in one small Parquet file each."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.results.frame import IDENTITY, ROW_COLUMNS
from xadbench.evaluation.results.statistics import by_source
from xadbench.evaluation.results.stored_runs import BASELINES, PROVENANCE, UNKNOWN, Run, read_run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SUFFIX = ".parquet"
TRIAL = [name for name in IDENTITY if name != "explainer"]
# Of what run.json says: paths of whoever ran it.
LEFT_OUT = frozenset({"command", "process", "sessions", "workers"})


def save_baseline(name: str, run: str, folder: Path = BASELINES, *, replace: bool = False) -> Path:
    """Save a run as a baseline and return its file.

    Parameters
    ----------
    name
        Letters, digits, and . _ - behind the first; at most 100.
    run
        What `read_run` reads.
    folder
        Where baselines are kept.
    replace
        Whether a baseline of that name may be replaced.

    Raises
    ------
    InputError
        If the name is none or taken, the run cannot be read, or it is not finished.
    """
    path = _path(name, folder)
    if path.exists() and not replace:
        raise InputError(f"{path} exists already; choose another name or --replace it")
    read = read_run(run, folder)
    if "ended" in read.provenance.model_fields_set and read.provenance.ended is None:
        raise InputError(f"{run}: the run is not finished; `xadbench run` goes on where it was stopped")
    # Without its sessions, a run of several machines would pass for one of the last.
    unknown = set() if read.provenance.environment else {"instructions"}
    about = read.provenance.as_json(LEFT_OUT | unknown)
    table = pa.Table.from_pandas(_rows(read), preserve_index=False)
    of_pandas = table.schema.metadata
    table = table.replace_schema_metadata({**of_pandas, PROVENANCE: json.dumps(about).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    with atomic_write(path) as file:
        file.write(buffer.getvalue())
    return path


def _path(name: str, folder: Path) -> Path:
    if not NAME.fullmatch(name):
        raise InputError(f"baseline is named {name!r}; expected letters, digits, and . _ - behind the first")
    return folder / f"{name}{SUFFIX}"


def _rows(run: Run) -> pd.DataFrame:
    """Return what the gate reads of a run: each trial, with its metrics, adjusted values and row scores."""
    kept = run.scores[run.scores["metric"].isin([*METRICS, *(f"adjusted_{name}" for name in METRICS)])]
    rows = run.trials.reset_index().merge(kept, how="left", on=IDENTITY)
    again = rows.duplicated(IDENTITY)  # once a trial is enough
    return rows.assign(**{name: rows[name].mask(again, None) for name in ROW_COLUMNS})


def baseline_names(folder: Path = BASELINES) -> list[str]:
    """Return the names of the baselines in a folder."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}") if NAME.fullmatch(path.stem))


def load_baseline(name: str, folder: Path = BASELINES) -> Run:
    """Return a baseline.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if not _path(name, folder).is_file():
        raise unknown(f"baseline in {folder}:", name, baseline_names(folder))
    return read_run(str(_path(name, folder)), folder)


def summary(run: Run) -> str:
    """Return a line on a run: suite, commit, day, and what became of its trials."""
    about = run.provenance
    counts = run.trials["status"].value_counts()
    parts = (
        f"suite {run.suite}",
        f"commit {str(about.commit or UNKNOWN)[:12]}",
        str(about.started or "no date")[:10],
        f"{len(run.trials)} trials: " + ", ".join(f"{n} {status}" for status, n in counts.items()),
    )
    return ", ".join(parts)


def means(run: Run, scope: str, metric: str) -> pd.DataFrame:
    """Return by explainer the mean metric and normalised time over sources, and the number of trials.

    Of trials in which the metric is defined, as the gate compares them.
    """
    values = run.values(scope, metric).dropna().rename(metric).to_frame().join(run.trials["normalised_time"])
    grids = {column: by_source(values.pivot_table(column, TRIAL, "explainer")).mean() for column in values}
    trials = values.groupby("explainer").size()
    return pd.DataFrame(grids).assign(trials=trials).sort_values(metric, ascending=False)
