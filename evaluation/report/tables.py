"""The tables of a report as data frames, and as Markdown, CSV and LaTeX."""

from collections.abc import Sequence

import pandas as pd

from xadbench.datasets.common.rendering import as_csv, as_latex, as_markdown
from xadbench.evaluation.results.frame import QUALITY, VALUE
from xadbench.evaluation.results.ranking import Board
from xadbench.evaluation.results.run_results import Results

COLUMNS = {
    "scope": "scope",
    "d": "d",
    "kind": "kind",
    "detector": "detector",
    "explainer": "explainer",
    "mean": "adj. nDCG_m",
    "low": "95 % from",
    "high": "to",
    "rank": "mean rank",
    "tied": "as the best",
    "ndcg_m": "nDCG_m",
    "chance": "chance",
    "auc_roc": "AUC-ROC",
    "seconds": "seconds",
    "normalised_time": "matmul-normalised time",
    "cells": "cells",
    "note": "note",
}
SUFFIXES = {"markdown": "md", "csv": "csv", "latex": "tex"}


def tables(results: Results, boards: Sequence[Board]) -> dict[str, pd.DataFrame]:
    """Return the tables of a report by name: `leaderboard`, `per_table`, `detectors`, `not_ok`."""
    return {
        "leaderboard": pd.concat([as_frame(board) for board in boards], ignore_index=True),
        "per_table": per_table(results),
        "detectors": detector_quality(results),
        "not_ok": not_ok(results).drop(columns="traceback"),
    }


def as_frame(board: Board) -> pd.DataFrame:
    """Return a board in COLUMNS: the ranked entries, the controls, then what is not ranked and why."""
    ranked = board.ranked.rename_axis("explainer").reset_index()
    ranked["cells"] = str(board.n_cells)
    ranked["tied"] = ranked["tied"].map({True: "yes", False: ""})
    references = board.references.rename_axis("explainer").reset_index()
    references["cells"] = [f"{n}/{board.n_cells}" for n in references.pop("n")]
    references["note"] = "control, not ranked"
    missing = pd.DataFrame(board.missing, columns=["explainer", "n_missing", "n_cells", "note"])
    present = missing["n_cells"] - missing["n_missing"]
    missing["cells"] = present.astype(str) + "/" + missing["n_cells"].astype(str)
    rows = [part.astype(object) for part in (ranked, references, missing) if len(part)]
    frame = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    place = {
        "scope": board.scope,
        "d": board.d or "all",
        "kind": board.kind or "all",
        "detector": board.detector,
    }
    frame = frame.assign(**place, auc_roc=board.auc_roc)
    return frame.reindex(columns=list(COLUMNS)).rename(columns=COLUMNS)


def per_table(results: Results) -> pd.DataFrame:
    """Return the mean score of each entry on each table, over seeds; blank where a seed lacks one."""
    cells = results.scores.groupby(["scope", "table", "detector", "explainer"], sort=False)[VALUE]
    counts = pd.DataFrame({"seeds": cells.size(), "with a score": cells.count()})
    means = cells.mean().where(counts["seeds"] == counts["with a score"])
    return counts.assign(**{"adj. nDCG_m": means}).reset_index()


def detector_quality(results: Results) -> pd.DataFrame:
    """Return the detectors' quality per table: means over the seeds that have one, and how many do."""
    # A trial that never ran does not know its detector, others of the same detector do.
    fits = results.trials.groupby(["table", "detector", "seed"], sort=False)[
        [*QUALITY, "fit_seconds"]
    ].first()
    groups = fits.groupby(level=["table", "detector"], sort=False)
    frame = groups.mean()
    frame["seeds"] = groups["auc_roc"].agg(lambda of: f"{of.notna().sum()}/{len(of)}")
    return frame.reset_index()


def not_ok(results: Results) -> pd.DataFrame:
    """Return the trials that gave no score, with reasons: what failed before what was skipped."""
    lacking = results.trials[results.trials["status"] != "ok"]
    columns = ["status", "table", "seed", "detector", "explainer", "reason", "traceback"]
    order = lacking["status"].map({"skipped": 1, "not run": 2}).fillna(0)
    return lacking.loc[order.sort_values(kind="stable").index, columns].reset_index(drop=True)


def as_text(frames: dict[str, pd.DataFrame], form: str) -> dict[str, str]:
    """Return the text of a file for each table, by file name."""
    return {f"{name}.{SUFFIXES[form]}": _text(frame, form) for name, frame in frames.items()}


def _text(frame: pd.DataFrame, form: str) -> str:
    if form == "csv":
        return as_csv(frame)
    cells = frame.map(_cell)
    return as_latex(cells) if form == "latex" else f"{as_markdown(cells)}\n"


def _cell(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
