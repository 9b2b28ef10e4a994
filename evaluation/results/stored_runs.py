"""What holds a run for the gate: a folder, Parquet, pytest-benchmark's JSON, a baseline, the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.json_files import parse_json, read_json
from xadbench.datasets.common.parquet import opened, read_frame
from xadbench.evaluation.metrics import METRICS

from . import store
from .frame import IDENTITY, REFERENCES
from .record import check_trial
from .requested import read_asked

SHIPPED = "shipped:"
PROVENANCE = b"xadbench"  # the key in a Parquet file's metadata
BENCHMARK = "xadbench"  # the key in pytest-benchmark's extra_info, for {"records": [...]}
UNKNOWN = "unknown"
ADJUSTED = "adjusted_"
ROUNDING = 1e-6
BASELINES = Path("baselines")
NEEDED = (*IDENTITY, "status", "scope", "score", "value")
TEXTS = frozenset({*NEEDED, "origin", "components", "content_hash"} - {"seed", "value"})
OPTIONAL = ("origin", "reason", "key", "content_hash", "components", "kernel_units")
ACCEPTED = (
    "the folder of a run, a results.parquet, the .json of pytest-benchmark, shipped:SUITE, or a baseline"
)


@dataclass(frozen=True, eq=False)
class Run:
    """What the gate knows of a run.

    Attributes
    ----------
    name
        What the user called it.
    provenance
        What `run.json` says; empty where that is not known.
    trials
        By IDENTITY, each once: `status`, `origin` of the table, `reason`, `key`, `content_hash`,
        `components`, `kernel_units`. The controls, which no change of an explainer alters, are left out.
    scores
        By IDENTITY, `scope` and `score`: `value`.
    """

    name: str
    provenance: dict[str, Any]
    trials: pd.DataFrame
    scores: pd.DataFrame

    @property
    def suite(self) -> str:
        """The suite's name; "unknown" where that is not known."""
        suite = self.provenance.get("suite")
        return str(suite.get("name", UNKNOWN)) if isinstance(suite, dict) else UNKNOWN

    def values(self, scope: str, metric: str) -> "pd.Series[float]":
        """Return a metric's value by IDENTITY.

        Raises
        ------
        InputError
            If no trial has it.
        """
        chosen = self.scores[(self.scores["scope"] == scope) & (self.scores["score"] == metric)]
        if chosen.empty:
            known = sorted(set(self.scores.loc[self.scores["scope"] == scope, "score"]) - {None})
            known = [name for name in known if name.startswith("adjusted_")]
            raise InputError(
                f"{self.name}: no {metric} in scope {scope}; it has {', '.join(known) or 'none'}"
            )
        return chosen.set_index(IDENTITY)["value"]


def read_run(name: str, baselines: Path = BASELINES) -> Run:
    """Read a run, from whatever holds it.

    Parameters
    ----------
    name
        A path, `shipped:SUITE`, or the name of a baseline.
    baselines
        The folder of the baselines.

    Raises
    ------
    InputError
        If there is none, or it holds no trials.
    """
    path = Path(name)
    if name.startswith(SHIPPED):
        return _shipped(name)
    if path.is_dir():
        return _folder(name, path)
    if path.is_file() and path.suffix == ".json":
        return _benchmark(name, path)
    if path.is_file():
        return _parquet(name, path)
    saved = baselines / f"{name}.parquet"
    if saved.parent == baselines and saved.is_file():
        return _parquet(name, saved)
    known = ", ".join(sorted(path.stem for path in baselines.glob("*.parquet"))) or "none"
    raise InputError(f"{name}: not found; expected {ACCEPTED} (in {baselines}: {known})")


def _shipped(name: str) -> Run:
    from .reference_results import shipped  # noqa: PLC0415  # reads a file of the package

    records = shipped(name.removeprefix(SHIPPED))
    return of_records(name, records, records[0].get("origin", {}))


def _folder(name: str, run: Path) -> Run:
    about = store.read_json(run / "run.json") or {}
    records, _ = read_asked(run)
    if records:
        return of_records(name, records, about)
    if (run / "results.parquet").is_file():
        return _parquet(name, run / "results.parquet", about)
    raise InputError(f"{name}: no trials/*.json and no results.parquet in that folder; expected {ACCEPTED}")


def _benchmark(name: str, path: Path) -> Run:
    values = read_json(path, "pytest-benchmark's JSON")
    benchmarks = values.get("benchmarks")
    if not isinstance(benchmarks, list):
        raise InputError(f"{name}: not pytest-benchmark's JSON: no list 'benchmarks'")
    infos = [one.get("extra_info") for one in benchmarks if isinstance(one, dict)]
    found = [info[BENCHMARK] for info in infos if isinstance(info, dict) and BENCHMARK in info]
    of_each = [one.get("records") for one in found if isinstance(one, dict)]
    records = [record for of_one in of_each if isinstance(of_one, list) for record in of_one]
    if not records:
        raise InputError(f"{name}: no benchmark has trials in extra_info['{BENCHMARK}']['records']")
    commit = values.get("commit_info")
    of_commit = commit.get("id") if isinstance(commit, dict) else None
    return of_records(name, records, {"started": values.get("datetime"), "commit": of_commit})


def _parquet(name: str, path: Path, about: dict[str, Any] | None = None) -> Run:
    frame = read_frame(path, "results of a run")
    with opened(path, str(path)) as file:
        told = (file.schema_arrow.metadata or {}).get(PROVENANCE, b"{}")
        known = parse_json(told, f"{path}: provenance") if about is None else about
    return of_tidy(name, frame, known if isinstance(known, dict) else {})


def of_records(name: str, records: Sequence[store.Record], provenance: dict[str, Any]) -> Run:
    """Return the run of records, of which later ones replace earlier ones of the same trial.

    Raises
    ------
    InputError
        If one of them is not the record of a trial.
    """
    latest: dict[tuple[Any, ...], pd.DataFrame] = {}
    for i, record in enumerate(records):
        check_trial(record, f"{name}: record {i} is not that of a trial")
        rows = store.tidy([record])
        latest[tuple(rows.iloc[0][IDENTITY])] = rows
    # Columns in common first, so that a trial without scores does not decide their types.
    return of_tidy(
        name, pd.DataFrame([row for rows in latest.values() for row in rows.to_dict("records")]), provenance
    )


def of_tidy(name: str, tidy: pd.DataFrame, provenance: dict[str, Any]) -> Run:
    """Return the run of a table as `store.tidy` makes it.

    Raises
    ------
    InputError
        If a column is missing, holds something else, or a value is there twice; or if there is no trial.
    """
    _check(name, tidy)
    rows = tidy.reindex(columns=[*NEEDED, *OPTIONAL])
    rows = rows[~rows["explainer"].isin(REFERENCES)]
    if rows.empty:
        raise InputError(f"{name}: no trial of an explainer, controls apart")
    rows = rows.assign(**{column: _numbers(name, rows[column]) for column in ("value", "kernel_units")})
    if (negative := rows["kernel_units"] < 0).any():
        raise InputError(
            f"{name}: kernel_units is {rows['kernel_units'][negative].iloc[0]}; no time is negative"
        )
    rows["seed"] = _seeds(name, rows["seed"])
    trials = rows.drop_duplicates(IDENTITY).set_index(IDENTITY)[["status", *OPTIONAL]]
    scores = rows.dropna(subset=["score"])[[*IDENTITY, "scope", "score", "value"]]
    if (twice := scores.duplicated([*IDENTITY, "scope", "score"])).any():
        one = scores[twice].iloc[0]
        raise InputError(f"{name}: {one['score']} of {title(tuple(one[IDENTITY]))} is there twice")
    for metric, values in scores.groupby("score")["value"]:
        _check_range(name, str(metric), values)
    return Run(name, provenance, trials.sort_index(), scores)


def _check_range(name: str, score: str, values: "pd.Series[float]") -> None:
    """Raise `InputError` if a metric, adjusted for chance or not, has a value that it cannot have."""
    metric = METRICS.get(score.removeprefix(ADJUSTED))
    if metric is None:  # a count, or a level of chance
        return
    low, high = (-np.inf, 1.0) if score.startswith(ADJUSTED) else metric.range
    wrong = values[(values < low - ROUNDING) | (values > high + ROUNDING)]
    if len(wrong):
        raise InputError(f"{name}: {score} is {wrong.iloc[0]}; its range is {low:g} to {high:g}")


def _check(name: str, tidy: pd.DataFrame) -> None:
    for column in NEEDED:
        if column not in tidy:
            raise InputError(f"{name}: no column {column!r}; expected {', '.join(NEEDED)}")
        if column in {*IDENTITY, "status"} and tidy[column].isna().any():
            raise InputError(f"{name}: column {column!r} has an empty cell")
    for column in TEXTS & {*tidy}:
        known = tidy[column].dropna()
        if not (is_text := known.map(lambda value: isinstance(value, str)).astype(bool)).all():
            raise InputError(f"{name}: column {column!r} has {known[~is_text].iloc[0]!s:.40}; expected text")


def _numbers(name: str, column: "pd.Series[Any]") -> "pd.Series[float]":
    try:
        numbers = pd.to_numeric(column)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: column {column.name!r} is not of numbers: {error}") from None
    if np.isinf(numbers.astype(float)).any():
        raise InputError(f"{name}: column {column.name!r} has an infinite value")
    return numbers


def _seeds(name: str, column: "pd.Series[Any]") -> "pd.Series[int]":
    seeds = _numbers(name, column)
    if (wrong := (seeds < 0) | (seeds % 1 != 0)).any():
        raise InputError(f"{name}: seed is {seeds[wrong].iloc[0]}; expected a whole number of at least 0")
    return seeds.astype("int64")


def title(identity: Sequence[Any]) -> str:
    """Return what a message calls a trial."""
    table, seed, detector, explainer = identity
    return f"{table} / {detector} / {explainer}, seed {seed}"
