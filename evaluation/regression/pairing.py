"""Pairs the trials of two runs, and names those that cannot be compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.json_files import parse_json
from xadbench.evaluation.components.registry import SEED as RANDOM_STATE
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.results.frame import IDENTITY, title
from xadbench.evaluation.results.record import REUSED
from xadbench.evaluation.results.statistics import Source, source_of, sources_of
from xadbench.evaluation.results.stored_runs import ADJUSTED, Run

from .local import OF_ROWS

TIME = "time"
ALLOWANCES = {  # what stops a comparison unless it is allowed: option --allow-<key>
    "missing": "trials of BASE that NEW lacks",
    "new-failures": "trials with a score in BASE and none in NEW, or that fail in NEW alone",
    "other-tables": "tables with another content",
    "other-versions": "components of other versions or parameters",
    "other-seeds": "no seed in common",
}
NOTE = "note"  # of no consequence


@dataclass(frozen=True)
class Notice:
    """Something about the pairs: its kind, a key of ALLOWANCES or "note", in words, and the trials."""

    kind: str
    text: str
    trials: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it in one line, with the first trials."""
        if not self.trials:
            return self.text
        more = f", and {len(self.trials) - 3} more" if len(self.trials) > 3 else ""
        return f"{self.text} ({len(self.trials)} x: {'; '.join(self.trials[:3])}{more})"


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of two runs.

    Attributes
    ----------
    cells
        By IDENTITY (of BASE) and `measure` (a metric, or "time" for matmul-normalised time): `base` and
        `new`.
    same_seeds
        Whether pairs have the same seed, and so the same table.
    notices
        What cannot be compared, or is to be known.
    trials
        By IDENTITY: `is_fact`, whether a trial's key and the environment are equal, so that its scores
        repeat, and OF_ROWS, the ROW_COLUMNS of both runs; none with other tables.
    source
        Of the tables, as of `stats.sources_of`.
    """

    cells: pd.DataFrame
    same_seeds: bool
    notices: tuple[Notice, ...]
    trials: pd.DataFrame = field(default_factory=pd.DataFrame)
    source: Source = source_of


def pair(base: Run, new: Run, metrics: Sequence[str], scope: str, *, time: bool = True) -> Pairs:
    """Pair the trials by table, seed, detector and explainer.

    Where the runs have no seed in common, the first of one is paired with the first of the other, and so on:
    of independent draws any pairing is as good.

    Raises
    ------
    InputError
        If a run lacks a metric altogether, or no trial has a value in both.
    """
    seeds = _paired_seeds(base, new)
    same = all(ours == theirs for ours, theirs in seeds.items())
    trials = _moved(new.trials, seeds)
    values = {name: (base.values(scope, name), _moved(new.values(scope, name), seeds)) for name in metrics}
    both = base.trials.add_suffix("_base").join(trials.add_suffix("_new"), how="inner")
    notices = [
        *([] if same else [_other_seeds(seeds)]),
        *_missing(base, trials),
        *_failures(both, values),
        *(_other_tables(both) if same else ()),
        *_other_versions(both, metrics, same_tables=same),
        *_only_new(base, trials),
        *_other_machine(base, new),
    ]
    if time:
        values[TIME] = (_times(base.trials), _times(trials))
        notices += _untimed(*values[TIME])
    source = sources_of(pd.concat([new.trials, base.trials]).reset_index())  # an older one may not know
    paired = _same_tables(both, base, new) if same else both.iloc[:0]
    return Pairs(_in_both(values), same, tuple(notices), paired, source)


def _same_tables(both: pd.DataFrame, base: Run, new: Run) -> pd.DataFrame:
    """Return `Pairs.trials`."""
    environment = base.provenance.environment
    repeats = environment is not None and environment == new.provenance.environment
    is_other = both[["content_hash_base", "content_hash_new"]].notna().all(axis=1) & (
        both["content_hash_base"] != both["content_hash_new"]
    )
    is_fact = repeats & (both["key_base"] == both["key_new"])
    return both.assign(is_fact=is_fact)[["is_fact", *OF_ROWS]][~is_other]


def _times(trials: pd.DataFrame) -> "pd.Series[float]":
    return trials.loc[trials["status"] == "ok", "normalised_time"]


def _untimed(*times: "pd.Series[float]") -> Iterator[Notice]:
    for run, of_run in zip(("BASE", "NEW"), times, strict=True):
        if of_run.isna().all():
            yield Notice(NOTE, f"{run} has no times: none are evaluated")


def _paired_seeds(base: Run, new: Run) -> dict[int, int]:
    """Return NEW's seeds by the seeds of BASE that they are paired with."""
    ours, theirs = (sorted(run.trials.index.unique("seed")) for run in (base, new))
    if set(ours) & set(theirs):
        return {seed: seed for seed in theirs}
    return dict(zip(ours, theirs, strict=False))


def _moved(of_new: Any, seeds: Mapping[int, int]) -> Any:
    """Return what is by IDENTITY of NEW by that of BASE; what is of seeds without a partner is left out."""
    back = {theirs: ours for ours, theirs in seeds.items()}
    kept = of_new[of_new.index.get_level_values("seed").isin(back)]
    by_identity = kept.index.to_frame(index=False)
    by_identity["seed"] = by_identity["seed"].map(back)
    return kept.set_axis(pd.MultiIndex.from_frame(by_identity))


def _in_both(values: Mapping[str, tuple[Any, Any]]) -> pd.DataFrame:
    parts = {
        measure: pd.DataFrame({"base": of_base, "new": of_new}).dropna()
        for measure, (of_base, of_new) in values.items()
    }
    frame = pd.concat(parts, names=["measure"])
    if frame.empty:
        raise InputError("no trial has a value in both runs; compare two runs of the same suite")
    return frame.reorder_levels([*IDENTITY, "measure"])


def _other_seeds(seeds: Mapping[int, int]) -> Notice:
    pairs = ", ".join(f"{ours} with {theirs}" for ours, theirs in seeds.items())
    return Notice("other-seeds", f"no seed in common; paired: {pairs}")


def _missing(base: Run, trials: pd.DataFrame) -> Iterator[Notice]:
    gone = base.trials[~base.trials.index.isin(trials.index) & (base.trials["status"] == "ok")]
    yield from _grouped("missing", ((f"{one[3]}: not in NEW", one) for one in gone.index))


def _only_new(base: Run, trials: pd.DataFrame) -> Iterator[Notice]:
    added = trials[~trials.index.isin(base.trials.index)]
    yield from _grouped(NOTE, ((f"{one[3]}: only in NEW, not compared", one) for one in added.index))


def _failures(both: pd.DataFrame, values: Mapping[str, tuple[Any, Any]]) -> Iterator[Notice]:
    """Yield what has no value in NEW any more, and what fails there alone, with NEW's reason."""
    lost = [
        (f"{identity[3]}: {_why(row, metric)}", identity)
        for metric, (of_base, of_new) in values.items()
        for identity, row in _rows(both)
        if pd.notna(of_base.get(identity)) and pd.isna(of_new.get(identity))
    ]
    named = {identity for _, identity in lost}
    # Where BASE had no value either, such as where nothing was detected, a fault is new all the same.
    broken = [
        (f"{identity[3]}: {_why(row, '')}", identity)
        for identity, row in _rows(both)
        if row["status_base"] in REUSED and row["status_new"] not in REUSED and identity not in named
    ]
    yield from _grouped("new-failures", [*lost, *broken])


def _rows(both: pd.DataFrame) -> Iterator[tuple[Any, "pd.Series[Any]"]]:
    yield from both.iterrows()


def _why(row: "pd.Series[Any]", metric: str) -> str:
    status = row["status_new"]
    return f"{metric} is not defined" if status == "ok" else f"{status}: {row['reason_new']}"


def _other_tables(both: pd.DataFrame) -> Iterator[Notice]:
    known = both.dropna(subset=["content_hash_base", "content_hash_new"])
    ours, theirs = (known[f"content_hash_{of}"] for of in ("base", "new"))
    other = ours[ours != theirs].index
    found = (
        (f"{one[0]}, seed {one[1]}: content {ours[one][:12]}, now {theirs[one][:12]}", one) for one in other
    )
    yield from _grouped("other-tables", found)


def _other_versions(both: pd.DataFrame, metrics: Sequence[str], *, same_tables: bool) -> Iterator[Notice]:
    found = (
        (text, identity)
        for identity, row in _rows(both)
        for text in _changes(row, metrics, same_tables=same_tables)
    )
    yield from _grouped("other-versions", found)


def _changes(row: "pd.Series[Any]", metrics: Sequence[str], *, same_tables: bool) -> Iterator[str]:
    """Yield in words how the components of a trial differ."""
    if pd.isna(row["components_base"]) or pd.isna(row["components_new"]):
        same_table = same_tables and row["content_hash_base"] == row["content_hash_new"]
        if (
            same_table
            and pd.notna([row["key_base"], row["key_new"]]).all()
            and row["key_base"] != row["key_new"]
        ):
            yield "another key: other versions, parameters or metrics, and a record does not say which"
        return
    ours, theirs = (_parts(row[f"components_{of}"], tuple(metrics)) for of in ("base", "new"))
    for part in sorted(ours.keys() | theirs.keys()):
        if ours.get(part) != theirs.get(part):
            before, now = ("none" if of.get(part) is None else of[part] for of in (ours, theirs))
            yield f"{part}: {before}, now {now}"


@cache  # most trials share them
def _parts(components: str, metrics: tuple[str, ...]) -> dict[str, Any]:
    try:
        return dict(_flat(parse_json(components, "components of a trial"), metrics))
    except (AttributeError, TypeError):
        raise InputError(f"components of a trial are {components:.80}; expected those of a record") from None


def _flat(components: Mapping[str, Any], metrics: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield each version, library and parameter that a trial depends on in the metrics compared."""
    for what in ("detector", "explainer"):
        for name, made in components.get(what, {}).items():
            yield f"{what} {name} version", made.get("version")
            yield f"{what} {name} library", made.get("library")
            for parameter, value in made.get("params", {}).items():
                if parameter != RANDOM_STATE:  # the trial's seed
                    yield f"{what} {name} {parameter}", value
    versions = components.get("metrics", {})
    for name in map(plain, metrics):
        yield f"metric {name} version", versions.get(name)
        if "baseline" in METRICS[name].needs:
            yield "baseline", versions.get("baseline")


def plain(metric: str) -> str:
    """Return the registered metric behind a score's name."""
    return metric.removeprefix(ADJUSTED)


def _other_machine(base: Run, new: Run) -> Iterator[Notice]:
    for what in ("cpu", "versions"):
        ours, theirs = getattr(base.provenance, what), getattr(new.provenance, what)
        if ours and theirs and ours != theirs:
            yield Notice(NOTE, f"{what}: {_differing(ours, theirs)}")


def _differing(ours: Any, theirs: Any) -> str:
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return f"{ours}, now {theirs}"
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return ", ".join(f"{name} {ours.get(name, 'none')}, now {theirs.get(name, 'none')}" for name in names)


def _grouped(kind: str, found: Iterable[tuple[str, Any]]) -> Iterator[Notice]:
    """Yield one notice for each text, with all its trials."""
    groups: dict[str, list[str]] = defaultdict(list)
    for text, identity in found:
        groups[text].append(title(identity))
    for text, trials in groups.items():
        yield Notice(kind, text, tuple(trials))
