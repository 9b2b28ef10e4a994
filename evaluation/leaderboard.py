"""Leaderboards: who blamed the right features, beside the detector's quality and the chance level."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from xadbench.datasets.files import atomic_write
from xadbench.evaluation.store import Record

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
    "trials": "trials",
}
NOTES = (
    "AUC-ROC: of the detector; oracle: of the one that knows the network. adj.: adjusted for chance, 0 = "
    "a blind guess, 1 = the truth, over the rows that have both culprits and others. nDCG_m, Acc_m: "
    "unadjusted, over all rows of the scope. chance: what a blind guess gets in these two. rows: rows "
    "behind the adjusted scores. seconds: to explain. trials: with a score, of all; means are over those "
    "with one, and what lacks some is not ranked: it comes last."
)


def leaderboard(records: Sequence[Record], scope: str, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return mean scores per detector and explainer: of each detector the best first, incomplete ones last.

    Parameters
    ----------
    records
        The records of a run, at least one.
    scope
        "anomalies", "detected" or "flagged".
    by
        Columns to split by: ("table",) for a leaderboard per table.

    Returns
    -------
    DataFrame
        Columns as in HEADINGS (but for `table`, which is one of `by`), and `reason`: why trials lack a score.
    """
    trials = pd.DataFrame([_trial(record, scope) for record in records])
    groups = [*by, "detector", "explainer"]
    for name in groups:  # in order of appearance, not of the alphabet
        trials[name] = pd.Categorical(trials[name], categories=trials[name].unique())
    grouped = trials.groupby(groups, observed=True)
    board = grouped[["auc_roc", *SCORES]].mean().join(grouped[["n_informative", "seconds"]].sum(min_count=1))
    board["oracle_auc_roc"] = grouped["oracle_auc_roc"].mean().where(grouped["oracle_known"].all())
    board["trials"] = grouped["ok"].agg(lambda ok: f"{ok.sum()}/{len(ok)}")
    board["reason"] = grouped["reason"].first()
    board["complete"] = grouped["ok"].all()  # means over other trials are not to be ranked among the rest
    order = [*by, "detector", "complete", "adjusted_ndcg_m"]
    ascending = [name in {*by, "detector"} for name in order]
    ranked = board.reset_index().sort_values(order, ascending=ascending, kind="stable", ignore_index=True)
    return ranked.drop(columns="complete")


def _trial(record: Record, scope: str) -> dict[str, object]:
    scores = record.get("scores", {}).get(scope, {})
    quality = record["detector"].get("quality", {})
    return {
        "table": record["table"]["label"],
        "detector": record["detector"]["label"],
        "auc_roc": _number(quality.get("auc_roc")),
        "oracle_auc_roc": _number(quality.get("oracle_auc_roc")),
        "oracle_known": quality.get("oracle_auc_roc") is not None,
        "explainer": record["explainer"]["label"],
        **{name: _number(scores.get(name)) for name in SCORES},
        "n_informative": scores.get("n_informative", 0),
        "seconds": _number(record.get("seconds")),
        "ok": record["status"] == "ok",
        "reason": record["reason"],
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def publish(records: Sequence[Record], scope: str, run: Path, console: Console) -> None:
    """Print the leaderboard, and write it with one per table to `leaderboard.md` in the run's folder."""
    overall, per_table = leaderboard(records, scope), leaderboard(records, scope, by=["table"])
    title = f"Who blames the right features? Rows: {scope}."
    console.print(title, *as_rich(overall), NOTES, *missing_scores(overall), sep="\n", highlight=False)
    parts = [f"# {title}", as_markdown(overall), NOTES, *missing_scores(overall)]
    parts += ["## Per table", as_markdown(per_table)]
    with atomic_write(run / "leaderboard.md") as file:
        file.write("\n\n".join([*parts, ""]).encode())
    console.print(f"Per table: {run / 'leaderboard.md'}", highlight=False, soft_wrap=True)


def as_rich(board: pd.DataFrame) -> list[Table]:
    """Return the leaderboard as one table for each detector, for a terminal of 80 columns or more."""
    detectors = board.groupby(["detector"], observed=True, sort=False)
    return [_of_detector(_title(str(name), rows.iloc[0]), rows) for (name,), rows in detectors]


def _title(name: str, row: "pd.Series[Any]") -> str:
    ceiling = "" if pd.isna(row["oracle_auc_roc"]) else f" (oracle {_text('', row['oracle_auc_roc'])})"
    return f"{name}: AUC-ROC {_text('', row['auc_roc'])}{ceiling}"


def _of_detector(title: str, board: pd.DataFrame) -> Table:
    table = Table(
        title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", title_style="bold"
    )
    board = board.drop(columns=["detector", "auc_roc", "oracle_auc_roc"])
    for column in _columns(board):
        if column == "explainer":
            table.add_column("explainer", overflow="fold")
        else:
            table.add_column(HEADINGS[column].replace(" ", "\n"), justify="right", no_wrap=True)
    for cells in _cells(board):
        table.add_row(*cells)
    return table


def as_markdown(board: pd.DataFrame) -> str:
    """Return the leaderboard as a Markdown table."""
    headings = [HEADINGS[name] for name in _columns(board)]
    return pd.DataFrame(_cells(board), columns=headings).to_markdown(index=False, disable_numparse=True)


def missing_scores(board: pd.DataFrame) -> list[str]:
    """Return a line for each row of the board with trials that gave no score, saying why."""
    lacking = board[board["reason"].notna()]
    return [
        f"{row.explainer} on {row.detector}: {row.trials} trials: {row.reason}"
        for row in lacking.itertuples()
    ]


def _columns(board: pd.DataFrame) -> list[str]:
    return [name for name in HEADINGS if name in board]


def _cells(board: pd.DataFrame) -> list[list[str]]:
    return [[_text(name, row[name]) for name in _columns(board)] for _, row in board.iterrows()]


def _text(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:  # noqa: PLR0124  # NaN: no trial has a score
        return "-"
    return f"{value:.1f}" if name == "seconds" else f"{value:.3f}"
