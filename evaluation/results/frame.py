"""The one tidy frame of results: a row each value of a trial, whatever reads it, and its stored form.

`flatten` makes it of records; `results.parquet` stores it. A frame made elsewhere needs no more than NEEDED:
leaderboards, ranks and the regression check take it as well.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.limits import check_cells
from xadbench.datasets.common.parquet import declared_rows, opened
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.metrics import Cost
from xadbench.evaluation.suite.controls import ALWAYS, CONTROLS

from .record import Numbers, TrialRecord

VALUE = "adjusted_ndcg_m"  # what leaderboards rank by
REFERENCES = frozenset({*ALWAYS, *CONTROLS})  # lines to compare with, by registered name; not ranked
IDENTITY = ["table", "seed", "detector", "explainer"]
NEEDED = (*IDENTITY, "scope", "metric", "value")
QUALITY = ("auc_roc", "average_precision", "f1_at_n", "oracle_auc_roc")
COST_COLUMNS = [f"cost_{part}_{field.name}" for part in ("fit", "explain") for field in fields(Cost)]
TEXTS = [
    *("key", "table", "origin", "content_hash", "detector", "explainer", "explainer_name"),
    *("status", "reason", "traceback", "components", "artifacts"),
]
NUMBERS = [
    *("n_rows", "n_features", "n_anomalies", *QUALITY, "fit_seconds", "seconds", "elapsed_seconds"),
    *("normalised_time", *COST_COLUMNS, "n_explained"),
]
TRIAL_COLUMNS = [*TEXTS, "seed", *NUMBERS]
ROW_COLUMNS = {"row_values": VALUE, "row_detected": "detected"}  # by the name in `TrialRecord.row_scores`
_DTYPES: Any = dict.fromkeys(TEXTS, "str") | {"seed": "int64"} | dict.fromkeys(NUMBERS, "float64")
_DTYPES |= dict.fromkeys(ROW_COLUMNS, "object")
CHUNK = 500  # trials of a row group
_WORD = pa.dictionary(pa.int32(), pa.string())
_ARRAY = pa.list_(pa.float32())


@dataclass(frozen=True, eq=False)
class ResultFrame:
    """The results of trials.

    Attributes
    ----------
    trials
        A row a trial: IDENTITY, and those of TRIAL_COLUMNS and ROW_COLUMNS that are known; the latter hold
        an array (r,) of values of the table's anomalies, None where a trial has none.
    scores
        A row a value: `trial`, the position of its row in `trials`; `scope`; `kind` of anomaly, missing for
        all together; `step`, the position on a curve over `set_sizes(d)`, -1 for a mean; `metric`; `value`.
    """

    trials: pd.DataFrame
    scores: pd.DataFrame

    def means(self, scope: str | None = None, metrics: Collection[str] | None = None) -> pd.DataFrame:
        """Return the values over all kinds of anomaly, those of curves apart."""
        chosen = self.scores["kind"].isna() & (self.scores["step"] < 0)
        if scope is not None:
            chosen &= self.scores["scope"] == scope
        if metrics is not None:
            chosen &= self.scores["metric"].isin(list(metrics))
        return self.scores.loc[chosen, ["trial", "scope", "metric", "value"]]

    def tidy(self, scope: str | None = None, metrics: Collection[str] | None = None) -> pd.DataFrame:
        """Return one row each (trial, scope, metric); a trial without any value has one without metric."""
        values = self.means(scope, metrics)
        silent = np.setdiff1d(np.arange(len(self.trials)), values["trial"])
        rows = pd.concat([values, pd.DataFrame({"trial": silent})]).sort_values("trial", kind="stable")
        words = {name: "category" for name in TEXTS if name in self.trials}
        of_trial = self.trials.drop(columns=list(ROW_COLUMNS), errors="ignore").astype(words)
        trials = of_trial.iloc[rows["trial"]].reset_index(drop=True)
        for name in ("scope", "metric", "value"):
            trials[name] = rows[name].to_numpy() if name == "value" else rows[name].array
        return trials

    def wide(self, values: pd.DataFrame, metrics: Sequence[str], by: Sequence[str] = ()) -> pd.DataFrame:
        """Return a row each (trial, *by) of the values, with a column a metric and IDENTITY."""
        chosen = values[values["metric"].isin(list(metrics))]
        index = ["trial", *by]
        table = chosen.set_index([*index, "metric"])["value"].unstack()  # noqa: PD010  # no aggregation
        table.columns = pd.Index([str(name) for name in table.columns])
        table = table.reindex(columns=list(metrics)).reset_index()
        table = table.astype(dict.fromkeys(by, object))
        own = self.trials[IDENTITY].iloc[table["trial"]].reset_index(drop=True)
        return pd.concat([own, table.drop(columns="trial")], axis=1)

    def latest(self) -> "ResultFrame":
        """Return the frame without trials that a later row of the same IDENTITY replaces."""
        kept = np.flatnonzero(~self.trials.duplicated(IDENTITY, keep="last"))
        if len(kept) == len(self.trials):
            return self
        values = self.scores[self.scores["trial"].isin(kept)]
        values = values.assign(trial=np.searchsorted(kept, values["trial"]))
        return ResultFrame(self.trials.iloc[kept].reset_index(drop=True), values)


AnyResults = ResultFrame | pd.DataFrame | Iterable[TrialRecord]


def flatten(records: Iterable[TrialRecord]) -> ResultFrame:
    """Return the results of records, in their order."""
    blocks, trials = _Blocks(), []
    for i, record in enumerate(records):
        trials.append(_trial(record))
        for scope, numbers in sorted(record.scores.items()):
            blocks.add(i, scope, None, numbers)
        for scope, kinds in sorted(record.scores_by_kind.items()):
            for kind, numbers in sorted(kinds.items()):
                blocks.add(i, scope, kind, numbers)
        for scope, curves in sorted(record.scores_at_k.items()):
            for metric, curve in sorted(curves.items()):
                blocks.add_curve(i, scope, metric, curve)
    frame = pd.DataFrame(trials, columns=[*TRIAL_COLUMNS, *ROW_COLUMNS])
    return ResultFrame(_typed(frame), blocks.scores())


def _typed(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `ResultFrame.trials`, each in its type."""
    typed = trials.reindex(columns=[*TRIAL_COLUMNS, *ROW_COLUMNS]).astype(_DTYPES)
    unknown = {name: typed[name].where(typed[name].notna(), None) for name in ROW_COLUMNS}
    return typed.assign(**unknown)


def _trial(record: TrialRecord) -> tuple[Any, ...]:
    """Return TRIAL_COLUMNS and ROW_COLUMNS of a record."""
    table, detector, cost = record.table, record.detector, record.cost
    costs = [of.get(field.name) for of in (cost.fit, cost.explain) for field in fields(Cost)]
    components = (
        None if record.components is None else json.dumps(record.components, sort_keys=True, default=str)
    )
    return (
        *(record.key, table.label, table.origin, table.content_hash, detector.label, record.explainer.label),
        *(record.explainer.name, record.status, record.reason, record.traceback, components),
        " ".join(record.artifacts),
        record.seed,
        *(table.n_rows, table.n_features, table.n_anomalies),
        *map(detector.quality.get, QUALITY),
        *(detector.fit_seconds, record.seconds, record.elapsed_seconds, record.normalised_time),
        *costs,
        record.n_explained,
        *(
            np.array(record.row_scores[name], dtype=np.float32) if name in record.row_scores else None
            for name in ROW_COLUMNS.values()
        ),
    )


class _Blocks:
    """Collects values in blocks of one trial, scope and kind: a row each would take minutes."""

    def __init__(self) -> None:
        self._keys: list[tuple[int, str, str | None, int]] = []
        self._parts: list[tuple[IntArray, IntArray, FloatArray]] = []  # steps, metrics, values
        self._codes: dict[str, int] = {}
        self._known: dict[tuple[str, ...], IntArray] = {}

    def add(self, trial: int, scope: str, kind: str | None, numbers: Numbers) -> None:
        names = tuple(numbers)
        if names not in self._known:
            self._known[names] = np.array([self._code(name) for name in names], dtype=np.int64)
        values: FloatArray = np.array(numbers.array(), dtype=np.float64)
        self._append((trial, scope, kind), np.full(len(values), -1), self._known[names], values)

    def add_curve(self, trial: int, scope: str, metric: str, curve: Sequence[float | None]) -> None:
        values: FloatArray = np.array(curve, dtype=np.float64)
        self._append(
            (trial, scope, None), np.arange(len(values)), np.full(len(values), self._code(metric)), values
        )

    def _append(
        self, key: tuple[int, str, str | None], steps: IntArray, codes: IntArray, values: FloatArray
    ) -> None:
        self._keys.append((*key, len(values)))
        self._parts.append((steps.astype(np.int16), codes.astype(np.int32), values))

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    def scores(self) -> pd.DataFrame:
        """Return `ResultFrame.scores`."""
        keys = pd.DataFrame(self._keys, columns=["trial", "scope", "kind", "n"])
        parts = [np.concatenate(part) for part in zip(*self._parts, strict=True)] or [np.zeros(0)] * 3
        n: Any = keys["n"]
        repeated = {
            "trial": keys["trial"].to_numpy(np.int32).repeat(n),
            "scope": keys["scope"].astype("category").repeat(n).array,
            "kind": keys["kind"].astype(object).astype("category").repeat(n).array,
        }
        metric = pd.Categorical.from_codes(
            parts[1].astype(np.int32), pd.Index(list(self._codes), dtype="str")
        )
        return pd.DataFrame(repeated | {"step": parts[0], "metric": metric, "value": parts[2]})


def tidy(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """Return one row per (trial, scope, metric); trials without scores give one row with scope None."""
    return flatten(records).tidy()


def write_frame(path: Path, records: Sequence[TrialRecord], metadata: Mapping[bytes, bytes]) -> None:
    """Write the flat form of the records' frame as Parquet, a part after the other."""
    schema = pa.schema(
        [
            *((name, _WORD) for name in TEXTS),
            ("seed", pa.int64()),
            *((name, pa.float64()) for name in NUMBERS),
            *(("scope", _WORD), ("kind", _WORD), ("step", pa.int16()), ("metric", _WORD)),
            ("value", pa.float64()),
            *((name, _ARRAY) for name in ROW_COLUMNS),
        ],
        metadata=dict(metadata),
    )
    with atomic_write(path) as file, pq.ParquetWriter(file, schema) as writer:
        for start in range(0, len(records), CHUNK):
            writer.write_table(_flat(flatten(records[start : start + CHUNK]), schema))


def _flat(frame: ResultFrame, schema: pa.Schema) -> pa.Table:
    silent = np.setdiff1d(np.arange(len(frame.trials)), frame.scores["trial"])
    values = pd.concat([frame.scores, pd.DataFrame({"trial": silent, "step": -1})])
    values = values.sort_values("trial", kind="stable")
    at = pa.array(values["trial"].to_numpy())
    first = pa.array(values["trial"].to_numpy(), mask=values["trial"].duplicated().to_numpy())
    columns = [
        _array(frame.trials[name], field.type).take(first if name in ROW_COLUMNS else at)
        if name in frame.trials
        else _array(values[name], field.type)
        for name, field in zip(schema.names, schema, strict=True)
    ]
    return pa.table(columns, schema=schema)


def _array(column: "pd.Series[Any]", kind: pa.DataType) -> pa.Array:
    if kind == _ARRAY:
        return pa.array([one if isinstance(one, np.ndarray) else None for one in column], kind)
    if kind != _WORD:
        return pa.array(column.to_numpy(), kind, from_pandas=True)
    words = pd.Categorical(column)
    codes = words.codes.astype(np.int32)
    indices = pa.array(codes, pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words.categories, pa.string()))


def read_stored(path: Path, what: str) -> tuple[ResultFrame, dict[bytes, bytes]]:
    """Return a frame that `write_frame` wrote, and the metadata of its file.

    Raises
    ------
    InputError
        If there is none.
    """
    with opened(path, f"{path}: {what}") as file:
        check_cells(declared_rows(file), len(file.schema_arrow), str(path))
        if lacking := {*TRIAL_COLUMNS, *NEEDED, "kind", "step"} - {*file.schema_arrow.names}:
            raise InputError(f"{path}: {what}: no column {min(lacking)!r}; run the suite again for it")
        trials, values, n_trials = [], [], 0
        plain = _plain_schema([name for name in ROW_COLUMNS if name in file.schema_arrow.names])
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            firsts, position = _trials_of(table)
            trials.append(table.select(plain.names).take(pa.array(firsts)).cast(plain))
            of_values = table.select(["scope", "kind", "step", "metric", "value"]).to_pandas(
                ignore_metadata=True
            )
            of_values.insert(0, "trial", (position + n_trials).astype(np.int32))
            values.append(of_values[of_values["metric"].notna()])
            n_trials += len(firsts)
        frame = pa.concat_tables([plain.empty_table(), *trials]).to_pandas(ignore_metadata=True)
        metadata = dict(file.schema_arrow.metadata or {})
    return ResultFrame(_typed(frame), _together(values)), metadata


def _plain_schema(of_rows: Sequence[str]) -> pa.Schema:
    kinds = {"seed": pa.int64()} | dict.fromkeys(NUMBERS, pa.float64()) | dict.fromkeys(of_rows, _ARRAY)
    return pa.schema([(name, kinds.get(name, pa.string())) for name in (*TRIAL_COLUMNS, *of_rows)])


def _trials_of(table: pa.Table) -> tuple[IntArray, IntArray]:
    """Return the first row of each trial, and the trial of each row; rows of a trial are neighbours."""
    own = table.select(["key", *IDENTITY]).to_pandas(ignore_metadata=True)
    codes = [own["seed"].to_numpy(), *(pd.factorize(own[name])[0] for name in own if name != "seed")]
    changes = np.any([np.diff(of) != 0 for of in codes], axis=0) if len(own) else np.zeros(0, bool)
    is_first = np.r_[np.ones(min(len(own), 1), bool), changes]
    return np.flatnonzero(is_first), np.cumsum(is_first) - 1


def _together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the parts in one frame, with common categories."""
    if not parts:
        return _Blocks().scores()
    words = {}
    for name in ("scope", "kind", "metric"):
        words[name] = pd.api.types.union_categoricals([part[name].astype("category") for part in parts])
    rest = {
        name: np.concatenate([part[name].to_numpy() for part in parts]) for name in ("trial", "step", "value")
    }
    return pd.DataFrame(
        {name: (words | rest)[name] for name in ("trial", "scope", "kind", "step", "metric", "value")}
    )


def as_frame(results: AnyResults, where: str = "results") -> ResultFrame:
    """Return the frame of records, or of a tidy table, wherever it was made.

    Parameters
    ----------
    results
        A frame, records, or a table: a row each (trial, scope, metric), with the columns NEEDED. Of
        TRIAL_COLUMNS, those of a trial's first row count. Without `status`, a trial with a value is "ok";
        without `explainer_name`, that is its label.
    where
        What to call the table in an error.

    Raises
    ------
    InputError
        If a column is missing or holds something else, or a value is there twice.
    """
    if isinstance(results, ResultFrame):
        return results
    if not isinstance(results, pd.DataFrame):
        return flatten(results)
    _check(results, where)
    numbers = {name: _numbers(results[name], where) for name in ("value", *NUMBERS) if name in results}
    rows = results.assign(**numbers, seed=_seeds(results["seed"], where))
    position = rows.groupby(IDENTITY, sort=False, observed=True).ngroup().to_numpy()
    values = pd.DataFrame({"trial": position.astype(np.int32)})
    for name, missing in (("scope", None), ("kind", None), ("step", -1), ("metric", None), ("value", None)):
        values[name] = rows[name].array if name in rows else missing
    values = values[values["metric"].notna()]
    trials = _typed(rows[~pd.Series(position).duplicated().to_numpy()]).reset_index(drop=True)
    has_value = np.isin(np.arange(len(trials)), values.loc[values["value"].notna(), "trial"])
    trials["status"] = trials["status"].fillna(pd.Series(np.where(has_value, "ok", "no value")))
    trials["explainer_name"] = trials["explainer_name"].fillna(trials["explainer"])
    twice = values.duplicated(["trial", "scope", "kind", "step", "metric"])
    if twice.any():
        one = values[twice].iloc[0]
        raise InputError(
            f"{where}: {one['metric']} of {title(trials[IDENTITY].iloc[one['trial']])} is there twice"
        )
    return ResultFrame(trials, values)


def _check(tidy: pd.DataFrame, where: str) -> None:
    for column in NEEDED:
        if column not in tidy:
            raise InputError(f"{where}: no column {column!r}; expected {', '.join(NEEDED)}")
    for column in {*IDENTITY, "status"} & {*tidy}:
        if tidy[column].isna().any():
            raise InputError(f"{where}: column {column!r} has an empty cell")
    for column in {*TEXTS, "scope", "kind", "metric"} & {*tidy}:
        known = tidy[column].dropna()
        if not (is_text := known.map(lambda value: isinstance(value, str)).astype(bool)).all():
            raise InputError(f"{where}: column {column!r} has {known[~is_text].iloc[0]!s:.40}; expected text")


def _numbers(column: "pd.Series[Any]", where: str) -> "pd.Series[float]":
    try:
        numbers = pd.to_numeric(column).astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: column {column.name!r} is not of numbers: {error}") from None
    if np.isinf(numbers).any():
        raise InputError(f"{where}: column {column.name!r} has an infinite value")
    return numbers


def _seeds(column: "pd.Series[Any]", where: str) -> "pd.Series[int]":
    seeds = _numbers(column, where)
    if (wrong := (seeds < 0) | (seeds % 1 != 0)).any():
        raise InputError(f"{where}: seed is {seeds[wrong].iloc[0]}; expected a whole number of at least 0")
    return seeds.astype("int64")


def title(identity: Iterable[Any]) -> str:
    """Return what a message calls a trial."""
    table, seed, detector, explainer = identity
    return f"{table} / {detector} / {explainer}, seed {seed}"
