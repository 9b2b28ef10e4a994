"""Leaderboards: who named the right features, beside the detector's quality and the chance level."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from xadbench.datasets.common import rendering
from xadbench.datasets.common.errors import find
from xadbench.datasets.common.rendering import escaped, plain
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.suite.controls import NONE
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE

from .frame import IDENTITY, AnyResults, ResultFrame, as_frame, flatten
from .inverted import inversion_hints
from .record import TrialRecord
from .run_results import NO_ROW, results_of
from .table_summary import read_summary

SCORES = ("adjusted_ndcg_m", "adjusted_acc_m", "ndcg_m", "acc_m", "chance")
HEADINGS = {
    "table": "table",
    "detector": "detector",
    "auc_roc": "AUC-ROC",
    "oracle_auc_roc": "oracle AUC-ROC",
    "explainer": "explainer",
    "adjusted_ndcg_m": "adj. nDCG_m",
    "adjusted_acc_m": "adj. Acc_m",
    "ndcg_m": "nDCG_m",
    "acc_m": "Acc_m",
    "chance": "chance",
    "n_informative": "rows",
    "seconds": "seconds",
    "normalised_time": "matmul-normalised time",
    "trials": "trials",
}
UNDEFINED = "n_undefined_"
WIDE = ("normalised_time",)  # eighty characters do not hold it
SUMMED = ("n_informative", "seconds", "normalised_time")
FURTHER_AT_ONCE = 4  # columns of further metrics that eighty characters hold
NOTES = (
    "AUC-ROC: the detector's; oracle AUC-ROC: that of the detector that knows the network and the kinds of "
    "anomalies. adj.: adjusted for chance, so that guessing gets 0 and the truth 1, over the rows that have "
    "both ground-truth features and others. nDCG_m, Acc_m: unadjusted, over all rows of the scope. chance: "
    "what guessing gets in these two. rows: number of rows behind the adjusted scores. seconds: time to fit "
    "and explain, over all trials. trials: how many of all have a score; means are over these, and an entry "
    "that lacks some comes last, unranked."
)
UNDEFINED_NOTE = "undefined: number of rows in which a metric has no value; they are left out of its mean."
LEAK_NOTE = (
    "Leak controls: scores of rankings that look only at how numbers are written, never at a model; they "
    "must not beat chance. adj. nDCG_m over all anomalies; see `xadbench audit`."
)
MATMUL_NOTE = (
    "matmul-normalised time: the processor time to fit and explain, divided by that of a product of two "
    "512 x 512 matrices."
)


def leaderboard(
    results: AnyResults | str | os.PathLike[str],
    scope: str = HEADLINE_SCOPE,
    by: Sequence[str] = (),
    requested: Sequence[str] = (),
) -> pd.DataFrame:
    """Return mean scores per detector and explainer: of each detector the best first, incomplete ones last.

    Parameters
    ----------
    results
        Of at least one trial: records, as `run_suite` returns them; a run's folder; `shipped:SUITE`; a
        `ResultFrame`; or a table of results made elsewhere with columns `table`, `detector`, `explainer`,
        `seed`, `scope`, `metric` and `value`, see `frame.as_frame`.
    scope
        "anomalies", "detected" or "flagged".
    by
        Columns to split by: ("table",) for a leaderboard per table.
    requested
        Names of further metrics to show: adjusted for chance where they use the ground truth.

    Returns
    -------
    DataFrame
        Columns as in HEADINGS (but for `table`, one of `by`, and for `normalised_time` where no record
        has them); `reason`: why trials lack a score; the scores of the metrics asked for, and the rows
        without a value, `n_undefined_<metric>`, where there are any.

    Raises
    ------
    InputError
        If a column is missing or holds something else, or a value is there twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from xadbench.evaluation.results.leaderboard import leaderboard
    >>> results = pd.DataFrame({"explainer": ["mine", "theirs"], "value": [0.25, 0.75]})
    >>> results = results.assign(table="wine", detector="knn", seed=0)
    >>> results = results.assign(scope="detected", metric="adjusted_ndcg_m")
    >>> leaderboard(results)[["detector", "explainer", "adjusted_ndcg_m", "trials"]].values.tolist()
    [['knn', 'theirs', 0.75, '1/1'], ['knn', 'mine', 0.25, '1/1']]
    >>> leaderboard("shipped:quick", by=["table"]).columns[:3].to_list()
    ['table', 'detector', 'explainer']
    """
    frame = results_of(results).frame if isinstance(results, str | os.PathLike) else as_frame(results)
    columns = [column for name in requested for column in _further(name)]
    trials = _with_scores(frame, scope, columns)
    groups = [*by, "detector", "explainer"]
    for name in groups:  # in order of appearance, not of the alphabet
        trials[name] = pd.Categorical(trials[name], categories=trials[name].unique())
    grouped = trials.groupby(groups, observed=True)
    undefined = [name for name in columns if name.startswith(UNDEFINED) and trials[name].any()]
    means = [name for name in columns if not name.startswith(UNDEFINED)]
    sums = [name for name in SUMMED if trials[name].notna().any()] + undefined
    board = grouped[["auc_roc", *SCORES, *means]].mean().join(grouped[sums].sum(min_count=1))
    board["oracle_auc_roc"] = grouped["oracle_auc_roc"].mean().where(grouped["oracle_known"].all())
    board["trials"] = grouped["ok"].agg(lambda ok: f"{ok.sum()}/{len(ok)}")
    board["reason"] = grouped["reason"].first()
    board["complete"] = grouped["ok"].all()  # means over other trials are not to be ranked among the rest
    order = [*by, "detector", "complete", "adjusted_ndcg_m"]
    ascending = [name in {*by, "detector"} for name in order]
    ranked = board.reset_index().sort_values(order, ascending=ascending, kind="stable", ignore_index=True)
    further = [name for name in columns if name in ranked]  # in the order asked for
    return ranked[[*ranked.columns.drop(["complete", *further]), *further]]


def _with_scores(frame: ResultFrame, scope: str, further: Sequence[str]) -> pd.DataFrame:
    """Return the trials with a column for each score of a scope."""
    names = list(dict.fromkeys([*SCORES, "n_informative", *further]))
    scores = frame.wide(frame.means(scope), names)
    trials = frame.trials.merge(scores, how="left", on=IDENTITY)
    is_ok = trials["status"] == "ok"
    lacks_value = trials[names].drop(columns="n_informative").isna().all(axis=1)
    lacks_value &= trials["explainer_name"] != NONE  # it has none to give
    return trials.assign(
        n_informative=trials["n_informative"].fillna(0),
        oracle_known=trials["oracle_auc_roc"].notna(),
        ok=is_ok & ~lacks_value,
        reason=trials["reason"].where(~(is_ok & lacks_value), NO_ROW),
    )


def _further(name: str) -> tuple[str, ...]:
    """Return the scores that stand for a metric asked for, but for those that every leaderboard has."""
    needs_ground_truth = find("metric", name, METRICS).needs_ground_truth
    shown = f"adjusted_{name}" if needs_ground_truth else name
    return () if shown in SCORES else (shown, f"{UNDEFINED}{name}")


def publish(
    records: Sequence[TrialRecord], scope: str, run: Path, console: Console, requested: Sequence[str] = ()
) -> None:
    """Print the leaderboard, and write it with one per table to `leaderboard.md` in the run's folder."""
    frame = flatten(records)
    overall, per_table = (leaderboard(frame, scope, by, requested) for by in ([], ["table"]))
    title = f"Who names the right features? Rows: {scope}."
    notes = [NOTES, *([UNDEFINED_NOTE] if requested else [])]
    missing, leaks = [*missing_scores(overall), *inversion_hints(frame)], _leak_lines(records, run)
    console.print(title, *as_rich(overall), *map(plain, [*notes, *missing]), sep="\n", highlight=False)
    console.print(LEAK_NOTE, *map(plain, leaks), sep="\n", highlight=False)
    parts = [f"# {title}", as_markdown(overall), *notes, MATMUL_NOTE, *map(escaped, missing)]
    parts += ["## Per table", as_markdown(per_table), "## Leak controls", LEAK_NOTE, *map(escaped, leaks)]
    with atomic_write(run / "leaderboard.md") as file:
        file.write("\n\n".join([*parts, ""]).encode())
    console.print(plain(f"Per table: {run / 'leaderboard.md'}"), soft_wrap=True)


def _leak_lines(records: Sequence[TrialRecord], run: Path) -> list[str]:
    """Return a line for each table of the run: which leak controls stand above their null."""
    tables = {(record.table.label, record.seed): record.table.content_hash for record in records}
    lines = []
    for (label, seed), content_hash in tables.items():
        summary = read_summary(run, str(content_hash))
        leaks = summary and summary.leaks
        lines.append(f"- {label}, seed {seed}: {leaks.summary if leaks else 'not known'}")
    return lines


def as_rich(board: pd.DataFrame) -> list[Table]:
    """Return the leaderboard as one table for each detector, for a terminal of 80 columns or more."""
    detectors = board.groupby(["detector"], observed=True, sort=False)
    return [
        table for (name,), rows in detectors for table in _of_detector(_title(str(name), rows.iloc[0]), rows)
    ]


def _title(name: str, row: "pd.Series[Any]") -> str:
    ceiling = "" if pd.isna(row["oracle_auc_roc"]) else f" (oracle {_text('', row['oracle_auc_roc'])})"
    return f"{name}: AUC-ROC {_text('', row['auc_roc'])}{ceiling}"


def _of_detector(title: str, board: pd.DataFrame) -> Iterator[Table]:
    """Yield the table of a detector, and behind it those of further metrics."""
    board = board.drop(columns=["detector", "auc_roc", "oracle_auc_roc"])
    narrow = [name for name in _columns(board) if name in HEADINGS and name not in WIDE]
    yield rendering.as_rich(_cells(board, narrow), title, ["explainer"])
    further = [name for name in _columns(board) if name not in HEADINGS]
    for start in range(0, len(further), FURTHER_AT_ONCE):
        columns = ["explainer", *further[start : start + FURTHER_AT_ONCE]]
        yield rendering.as_rich(_cells(board, columns), names=["explainer"])


def _heading(column: str) -> str:
    """Return a column's heading: its own, or that of a metric asked for."""
    if column in HEADINGS:
        return HEADINGS[column]
    return column.replace(UNDEFINED, "undefined ").replace("adjusted_", "adj. ").replace("_", " ")


def as_markdown(board: pd.DataFrame) -> str:
    """Return the leaderboard as a Markdown table."""
    return rendering.as_markdown(_cells(board, _columns(board)))


def missing_scores(board: pd.DataFrame) -> list[str]:
    """Return a line for each row of the board with trials that gave no score, saying why."""
    lacking = board[board["reason"].notna()]
    return [
        f"{row.explainer} on {row.detector}: {row.trials} trials: {row.reason}"
        for row in lacking.itertuples()
    ]


def _columns(board: pd.DataFrame) -> list[str]:
    further = [str(name) for name in board if name not in HEADINGS and name != "reason"]
    return [*(name for name in HEADINGS if name in board), *further]


def _cells(board: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of the board as text, under their headings."""
    rows = [[_text(name, row[name]) for name in columns] for _, row in board.iterrows()]
    return pd.DataFrame(rows, columns=list(map(_heading, columns)))


def _text(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:  # noqa: PLR0124  # NaN: no trial has a score
        return "-"
    if name == "normalised_time":
        return f"{value:.0f}"
    if name == "n_informative" or name.startswith(UNDEFINED):
        return f"{value:.1f}".removesuffix(".0")  # an expected number where scores are tied
    if name not in HEADINGS and not 0.01 <= abs(value) < 1000:
        return f"{value:.3g}"  # an infidelity may be tiny or huge
    return f"{value:.1f}" if name == "seconds" else f"{value:.3f}"
