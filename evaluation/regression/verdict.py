"""Evaluates the differences of pairs: means with intervals, and which of them fail the gate."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, log, nan
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError, find, unknown
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.metrics.intervals import LEVEL, bootstrap_interval
from xadbench.evaluation.results import statistics as stats
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.stored_runs import ADJUSTED
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from .local import ROUNDING, TOLERATED, Change, part_changes
from .pairing import ALLOWANCES, TIME, Pairs, plain

# Matmul-normalised, about five milliseconds: a time below it says more of timers and caches than of an
# explainer, and counts as this.
SHORTEST = 1.0
APART = "\x1f"  # between the parts of a unit's name
Verdict = Literal["worse", "unclear", "ok", "better"]
SUITE = "suite"  # the level of a comparison of the whole of it
Unclear = Literal["pass", "fail"]
Column = tuple[str, str]  # measure, explainer


@dataclass(frozen=True)
class Criteria:
    """What the gate demands.

    Parameters
    ----------
    metrics
        Names of metrics, or `adjusted_` ones, of which none may be lost by more than `tolerance`.
    scope
        The rows explained.
    tolerance
        In units of the metrics, at least 0.
    time_tolerance
        The ratio of calibrated times that is tolerated, at least 1; None: times are not evaluated.
    level
        Of confidence of the whole gate, in (0.5, 1): of gates on equal runs at most 1 - level fail.
    allowed
        Of ALLOWANCES.
    unclear
        Whether a loss beyond the tolerance that may be chance lets the gate pass or fail.

    Raises
    ------
    InputError
        If one of these is out of range or unknown.
    """

    metrics: tuple[str, ...] = (VALUE,)
    scope: str = HEADLINE_SCOPE
    tolerance: float = 0.02
    time_tolerance: float | None = 1.25
    level: float = LEVEL
    allowed: frozenset[str] = field(default_factory=frozenset)
    unclear: Unclear = "pass"

    def __post_init__(self) -> None:
        for name in self.metrics:
            metric = find("metric", plain(name), METRICS)
            if name.startswith(ADJUSTED) and metric.chance is None:
                raise InputError(f"{name}: {metric.name} has no chance level to adjust for")
        if not self.metrics:
            raise InputError("metrics is empty; expected at least one")
        if self.scope not in SCOPES:
            raise unknown("scope", self.scope, SCOPES)
        if not 0 <= self.tolerance < np.inf:
            raise InputError(f"tolerance is {self.tolerance}; expected a number of at least 0")
        if self.time_tolerance is not None and not 1 <= self.time_tolerance < np.inf:
            raise InputError(f"time tolerance is {self.time_tolerance}; expected a ratio of at least 1")
        if not 0.5 < self.level < 1:
            raise InputError(f"level is {self.level}; expected a number in (0.5, 1)")
        if self.unclear not in get_args(Unclear):
            raise InputError(f"unclear is {self.unclear!r:.80}; expected {' or '.join(get_args(Unclear))}")
        for name in self.allowed:
            find("allowance", name, ALLOWANCES)

    def tolerated_loss(self, measure: str) -> float:
        """Return how much gain a measure may lack."""
        return log(self.time_tolerance or 1) if measure == TIME else self.tolerance


@dataclass(frozen=True)
class Comparison:
    """An explainer in two runs by one measure, a metric or time, on the suite or a part of it.

    `level` is "suite", "trial", "table" or "detector", and `where` names the part. `base` and `new` are
    means over sources (of a part, over its trials), of times geometric ones, in matmul-normalised time;
    `change` is new - base, of times new / base; `low` to `high` its interval, NaN if there is none. `n_pairs`
    trials, of `n_units` independent ones: tables, or under each detector for times; rows, where it is of a
    part. `smallest` is the loss of a metric that would be found with a probability of 95 %; NaN where none
    is. `is_fact`: nothing that the scores of that part depend on is another, so that chance has no part in
    it; `has_changed`: the score of any row of it has.
    """

    explainer: str
    measure: str
    base: float
    new: float
    change: float
    low: float
    high: float
    n_pairs: int
    n_units: int
    verdict: Verdict
    level: str = SUITE
    where: str = ""
    smallest: float = nan
    is_fact: bool = False
    has_changed: bool = False

    @property
    def is_tested(self) -> bool:
        """Whether an interval over rows decides."""
        return self.has_changed and not self.is_fact and self.n_units > 1

    @property
    def differs(self) -> bool:
        """Whether any pair differs."""
        return not self.low == self.high == self.change == (1 if self.measure == TIME else 0)


def compare_pairs(pairs: Pairs, criteria: Criteria, n_resamples: int = stats.RESAMPLES) -> list[Comparison]:
    """Return the comparisons, those of the suite first, the metrics first, by explainer.

    The intervals of the suite are those of the report: a bootstrap over sources, then seeds. Detectors share
    a table, and what a change does to it, so that a source is drawn with all of them; times of equal seeds
    have noise of their own in each fit and timing, so there a source under each detector is drawn by itself.
    Where there is one alone, its seeds are drawn. Those of trials, tables and detectors are over rows, see
    `local`. All bounds together hold with the level (Bonferroni's method): that of one, with
    1 - (1 - level) / n, of n comparisons in which anything differs. Intervals over
    rows, where there are any, have one half of 1 - level, and those of the suite the other.

    Raises
    ------
    InputError
        If there is nothing to evaluate: no comparison has an interval.
    """
    levels = {of: _by_column(pairs, of) for of in ("base", "new")}
    differences = levels["new"] - levels["base"]
    # What does not differ at all, as scores of equal seeds repeat, has no chance to fail and takes no share.
    of_parts = [
        (metric, one)
        for metric in criteria.metrics
        if _is_bounded(metric)
        for one in _parts(pairs, criteria, metric)
    ]
    n_tested = sum(one.is_tested for _, one in of_parts)
    error = (1 - criteria.level) / (2 if n_tested else 1)
    bound = 1 - error / max(int(differences.fillna(0).any().sum()), 1)
    intervals = {
        column: interval
        for alike in _alike(differences)
        for column, interval in _intervals(differences[alike].dropna(), bound, n_resamples, pairs).items()
    }
    if all(np.isnan(one.low) for one in intervals.values()):
        raise InputError("a single pair of trials has no interval; compare runs of more tables or seeds")
    n_pairs = pairs.cells.groupby(["measure", "explainer"]).size()
    of_suite = [
        _comparison(
            column,
            {of: _mean(values[[column]].dropna(), pairs) for of, values in levels.items()},
            intervals[column],
            int(n_pairs[column]),
            criteria,
        )
        for column in _columns(differences)
    ]
    return of_suite + [
        _of_part(metric, one, 1 - error / max(n_tested, 1), criteria) for metric, one in of_parts
    ]


def _is_bounded(metric: str) -> bool:
    """Whether a loss of 0.1 means the same of a metric as of the headline's."""
    return metric.startswith(ADJUSTED) or bool(np.isfinite(METRICS[metric].range).all())


def _parts(pairs: Pairs, criteria: Criteria, metric: str) -> Iterator[Change]:
    cells = pairs.cells[pairs.cells.index.get_level_values("measure") == metric].droplevel("measure")
    cells = cells[cells.index.isin(pairs.trials.index)]
    return iter(()) if cells.empty else part_changes(cells, pairs.trials, criteria.scope, metric)


def _of_part(metric: str, one: Change, bound: float, criteria: Criteria) -> Comparison:
    change, margin = one.new - one.base, one.margin(bound)
    tolerated = max(TOLERATED[one.level], criteria.tolerance)
    return Comparison(
        *(one.explainer, metric, one.base, one.new, change, change - margin, change + margin),
        *(one.n_trials, int(np.nan_to_num(one.n_rows)), _verdict_of_part(metric, change, margin, tolerated)),
        level=one.level,
        where=one.where,
        smallest=one.smallest_found(bound, tolerated),
        is_fact=one.is_fact,
        has_changed=one.differs,
    )


def _verdict_of_part(metric: str, change: float, margin: float, tolerated: float) -> Verdict:
    """Return "worse" where a loss is beyond what is tolerated, and the whole interval is a loss."""
    if abs(change) <= tolerated + ROUNDING:
        return "ok"
    is_loss = (change < 0) == _higher_is_better(metric)
    if not abs(change) > margin:  # NaN too
        return "unclear" if is_loss else "ok"
    return "worse" if is_loss else "better"


def _by_column(pairs: Pairs, of: str) -> pd.DataFrame:
    """Return a run's values, times as logarithms: a row a (unit, seed), a column a (measure, explainer).

    A unit is a table, with the mean over detectors; for times of equal seeds a table under a detector.
    """
    values = pairs.cells[of].reset_index()
    values["measure"] = pd.Categorical(values["measure"], categories=values["measure"].unique())
    times = values["measure"] == TIME
    values.loc[times, of] = np.log(values.loc[times, of].clip(lower=SHORTEST))
    if pairs.same_seeds:
        values.loc[times, stats.TABLE] += APART + values.loc[times, "detector"]
    return values.pivot_table(
        index=[stats.TABLE, stats.SEED], columns=["measure", "explainer"], values=of, observed=True
    )


def _columns(frame: pd.DataFrame) -> list[Column]:
    return [(str(column[0]), str(column[1])) for column in frame.columns.to_flat_index()]


def _units_of(source: stats.Source) -> stats.Source:
    """Return what tells the source of a unit: that of its table, by itself under each detector and seed."""

    def of_unit(unit: str) -> str:
        table, apart, rest = unit.partition(APART)
        return source(table) + apart + rest

    return of_unit


def _alike(changes: pd.DataFrame) -> Iterable[list[Column]]:
    """Return the columns that have values in the same rows together: so they are resampled."""
    groups: dict[bytes, list[Column]] = defaultdict(list)
    for column in _columns(changes):
        groups[changes[column].notna().to_numpy().tobytes()].append(column)
    return groups.values()


class _Interval(NamedTuple):
    low: float
    high: float
    n_units: int
    centre: float


def _intervals(
    changes: pd.DataFrame, bound: float, n_resamples: int, pairs: Pairs
) -> dict[Column, _Interval]:
    """Return the intervals of columns without a gap; each end holds with probability `bound`."""
    source = _units_of(pairs.source)
    own, drawn = stats.resampled_means(changes, source=source, n_resamples=n_resamples)
    if len(own) == 1 and len(changes.index.unique(stats.SEED)) > 1:
        # One unit alone: its seeds are the observations. Tables of one source may share a seed.
        by_seed = changes.rename(index=lambda seed: f"{APART}{seed}", level=stats.SEED)
        units = pd.MultiIndex.from_tuples(
            [(unit + seed, 0) for unit, seed in by_seed.index], names=changes.index.names
        )
        return _intervals(changes.set_axis(units), bound, n_resamples, pairs)
    centre = own.mean().to_numpy()
    low, high = bootstrap_interval(centre, drawn, len(own), 2 * bound - 1)
    return {
        column: _Interval(low[i], high[i], len(own), centre[i])
        if len(own) > 1 or not _repeats(column, pairs)
        else _Interval(centre[i], centre[i], 1, centre[i])
        for i, column in enumerate(_columns(changes))
    }


def _repeats(column: Column, pairs: Pairs) -> bool:
    """Whether equal code gives equal numbers, so that a single difference is no noise."""
    return pairs.same_seeds and column[0] != TIME


def _mean(values: pd.DataFrame, pairs: Pairs) -> float:
    return float(stats.by_source(values, _units_of(pairs.source)).mean().iloc[0])


def _comparison(
    column: Column, level: Mapping[str, float], interval: _Interval, n_pairs: int, criteria: Criteria
) -> Comparison:
    measure, explainer = column
    base, new = level["base"], level["new"]
    show = exp if measure == TIME else float
    return Comparison(
        explainer,
        measure,
        show(base),
        show(new),
        show(new - base),
        show(interval.low),
        show(interval.high),
        n_pairs,
        interval.n_units,
        _verdict(interval, measure, criteria),
        # The half that is beyond a loss, and as much again for a loss that is measured as less than it is.
        smallest=nan if measure == TIME else criteria.tolerance + interval.high - interval.low,
    )


def _verdict(interval: _Interval, measure: str, criteria: Criteria) -> Verdict:
    """Return "worse" if the whole interval is a loss beyond the tolerance, "unclear" if the mean alone is."""
    gains = (interval.low, interval.high)
    worst, best = gains if _higher_is_better(measure) else (-interval.high, -interval.low)
    tolerated = criteria.tolerated_loss(measure)
    if best < -tolerated:
        return "worse"
    gain = interval.centre if _higher_is_better(measure) else -interval.centre
    if np.isnan(worst) or gain < -tolerated:
        return "unclear"
    return "better" if worst > tolerated else "ok"


def _higher_is_better(measure: str) -> bool:
    return measure != TIME and (measure.startswith(ADJUSTED) or METRICS[measure].higher_is_better)
