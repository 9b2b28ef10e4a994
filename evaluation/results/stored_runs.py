"""What holds a run for the gate: a folder, Parquet, pytest-benchmark's JSON, a baseline, the package."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.json_files import parse_json, read_json
from xadbench.datasets.common.parquet import opened, read_frame
from xadbench.datasets.common.paths import inside
from xadbench.evaluation.metrics import METRICS

from . import store
from .frame import (
    IDENTITY,
    REFERENCES,
    ROW_COLUMNS,
    TRIAL_COLUMNS,
    ResultFrame,
    as_frame,
    flatten,
    read_stored,
)
from .provenance import RunDescription, read_description
from .record import RECORD_VERSION, TrialRecord, as_trial
from .reference_results import SHIPPED, shipped
from .requested import read_requested

PROVENANCE = b"xadbench"  # the key in a Parquet file's metadata
BENCHMARK = "xadbench"  # the key in pytest-benchmark's extra_info, for {"records": [...]}
UNKNOWN = "unknown"
ADJUSTED = "adjusted_"
ROUNDING = 1e-6
BASELINES = Path("baselines")
OPTIONAL = ("origin", "reason", "key", "content_hash", "components", "normalised_time")
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
        What `run.json` says, as far as it is known.
    trials
        By IDENTITY, each once: `status`, `origin` of the table, `reason`, `key`, `content_hash`,
        `components`, `normalised_time`, and ROW_COLUMNS, None where the run does not have them. The controls,
        which no change of an explainer alters, are left out.
    scores
        By IDENTITY, `scope` and `metric`: `value`.
    """

    name: str
    provenance: RunDescription
    trials: pd.DataFrame
    scores: pd.DataFrame

    @property
    def suite(self) -> str:
        """The suite's name; "unknown" where that is not known."""
        return str((self.provenance.suite or {}).get("name", UNKNOWN))

    def values(self, scope: str, metric: str) -> "pd.Series[float]":
        """Return a metric's value by IDENTITY.

        Raises
        ------
        InputError
            If no trial has it.
        """
        chosen = self.scores[(self.scores["scope"] == scope) & (self.scores["metric"] == metric)]
        if chosen.empty:
            known = sorted(set(self.scores.loc[self.scores["scope"] == scope, "metric"]) - {None})
            known = [name for name in known if name.startswith("adjusted_")]
            raise InputError(
                f"{self.name}: no {metric} in scope {scope}; it has {', '.join(known) or 'none'}"
            )
        labels = ["table", "detector", "explainer"]
        return chosen.astype(dict.fromkeys(labels, "str")).set_index(IDENTITY)["value"]


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

    records = shipped(name.removeprefix(SHIPPED))
    return of_records(name, records, _description(records[0].origin, name))


def _folder(name: str, run: Path) -> Run:
    about = read_description(run) or RunDescription()
    frame, _ = read_requested(run)
    if len(frame.trials):
        return of_frame(name, frame.latest(), about)
    if (run / store.RESULTS).is_file():
        return _parquet(name, inside(run, store.RESULTS), about)
    raise InputError(f"{name}: no trials/*.json and no results.parquet in that folder; expected {ACCEPTED}")


def _benchmark(name: str, path: Path) -> Run:
    values = read_json(path, "pytest-benchmark's JSON")
    try:
        infos = [one["extra_info"] for one in values["benchmarks"]]
        records = [record for info in infos for record in info.get(BENCHMARK, {}).get("records", ())]
        about = {"started": values.get("datetime"), "commit": values.get("commit_info", {}).get("id")}
    except (AttributeError, KeyError, TypeError):  # another file, or an altered one
        records = []
    if not records:
        raise InputError(f"{name}: no benchmark has trials in extra_info['{BENCHMARK}']['records']")
    return of_records(name, records, _description(about, name))


def _parquet(name: str, path: Path, about: RunDescription | None = None) -> Run:
    where = f"{path}: provenance"
    with opened(path, f"{path}: results of a run") as file:
        reported = (file.schema_arrow.metadata or {}).get(PROVENANCE, b"{}")
        is_whole = {*TRIAL_COLUMNS, "kind", "step"} <= {*file.schema_arrow.names}
    if not is_whole:
        tidy = read_frame(path, "results of a run")
        return of_tidy(name, tidy, about or _description(parse_json(reported, where), where))
    frame, _ = read_stored(path, "results of a run")
    return of_frame(name, frame, about or _description(parse_json(reported, where), where))


def _description(values: object, where: str) -> RunDescription:
    """Return the description in JSON values that say what they are of, or else are of this version."""
    return RunDescription.of(
        {"version": RECORD_VERSION} | (values if isinstance(values, dict) else {}), where
    )


def of_records(name: str, records: Iterable[TrialRecord | dict[str, Any]], provenance: RunDescription) -> Run:
    """Return the run of records, of which later ones replace earlier ones of the same trial.

    Raises
    ------
    InputError
        If one of them is not the record of a trial.
    """
    checked = (as_trial(one, f"{name}: record {i} is not that of a trial") for i, one in enumerate(records))
    return of_frame(name, flatten(checked).latest(), provenance)


def of_tidy(name: str, tidy: pd.DataFrame, provenance: RunDescription) -> Run:
    """Return the run of a tidy table, see `frame.as_frame`.

    Raises
    ------
    InputError
        If a column is missing, holds something else, or a value is there twice; or if there is no trial.
    """
    return of_frame(name, as_frame(tidy, name), provenance)


def of_frame(name: str, frame: ResultFrame, provenance: RunDescription) -> Run:
    """Return the run of a frame.

    Raises
    ------
    InputError
        If a value is out of its metric's range, or there is no trial.
    """
    trials, means = frame.trials, frame.means()
    is_ranked = ~(trials["explainer_name"].isin(REFERENCES) | trials["explainer"].isin(REFERENCES)).to_numpy()
    if not is_ranked.any():
        raise InputError(f"{name}: no trial of an explainer, controls apart")
    if (negative := trials["normalised_time"] < 0).any():
        raise InputError(
            f"{name}: normalised_time is {trials['normalised_time'][negative].iloc[0]}; no time is negative"
        )
    means = means[is_ranked[means["trial"]]]
    for metric, values in means.groupby("metric", observed=True)["value"]:
        _check_range(name, str(metric), values)
    identity = trials[IDENTITY].astype(dict.fromkeys(("table", "detector", "explainer"), "category"))
    own = identity.iloc[means["trial"]].reset_index(drop=True)
    scores = pd.concat([own, means.drop(columns="trial").reset_index(drop=True)], axis=1)
    known = trials[is_ranked].set_index(IDENTITY).reindex(columns=["status", *OPTIONAL, *ROW_COLUMNS])
    _check_rows(name, known)
    return Run(name, provenance, known.sort_index(), scores)


def _check_rows(name: str, trials: pd.DataFrame) -> None:
    """Raise `InputError` if the values of a trial's rows are none, or not as many as their weights."""
    for values, weights in trials[list(ROW_COLUMNS)].dropna().itertuples(index=False, name=None):
        try:
            scores, shares = np.array([values, weights], dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"{name}: row_values and row_detected are not as many numbers") from None
        is_sound = (scores <= 1 + ROUNDING) & (shares >= -ROUNDING) & (shares <= 1 + ROUNDING)  # NaN is none
        if not is_sound.all():
            raise InputError(f"{name}: row_values has a score above 1, or row_detected no share of a row")


def _check_range(name: str, score: str, values: "pd.Series[float]") -> None:
    """Raise `InputError` if a metric, adjusted for chance or not, has a value that it cannot have."""
    metric = METRICS.get(score.removeprefix(ADJUSTED))
    if metric is None:  # a count, or a level of chance
        return
    low, high = (-np.inf, 1.0) if score.startswith(ADJUSTED) else metric.range
    wrong = values[(values < low - ROUNDING) | (values > high + ROUNDING)]
    if len(wrong):
        raise InputError(f"{name}: {score} is {wrong.iloc[0]}; its range is {low:g} to {high:g}")
