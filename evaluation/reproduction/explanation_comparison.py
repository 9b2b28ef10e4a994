"""Attributions beside the published figures: by data set and explainer, with chance, oracle and |z|."""

from collections.abc import Sequence

import pandas as pd

from xadbench.evaluation.suite.controls import ORACLE

from .comparison import IDENTITY, Cell, compare

COMPARED = ("ndcg_m", "acc_m", "seconds")
HEADLINE = "adjusted_ndcg_m"
Z_SCORE = "z_score"
CHANCES = ("ndcg_m_chance", "acc_m_chance")
MEANS = (
    "ndcg_m_detected",
    HEADLINE,
    "adjusted_acc_m",
    "n_detected",
    "n_informative",
    "n_explained",
    "auc_roc",
    "fit_seconds",
)
ABOVE = ["above_chance", "above_z"]


def explanation_board(cells: Sequence[Cell], published: pd.DataFrame) -> pd.DataFrame:
    """Return each explainer's figures on each data set, beside the published.

    Parameters
    ----------
    cells
        As `ground_truth_cells` returns them.
    published
        As `published_explanations` returns it.

    Returns
    -------
    DataFrame
        Rows as of `compare`. Columns `dataset`, `method`, `seeds`, `reason`; for `ndcg_m`, `acc_m` and
        `seconds` ours, `_std`, `_published`, `_published_std` and `_inside`, as of `compare`;
        `ndcg_m_chance`, `acc_m_chance`, of the data set; `ndcg_m_oracle`, `acc_m_oracle`, the control's;
        `above_chance` and `above_z`, on how many of the seeds the adjusted nDCG_m is above 0, and above that
        of |z|: "4/5", empty where unknown; and means over seeds of the other figures, NaN where one failed.
    """
    boards = {metric: _compared(cells, metric, published) for metric in COMPARED}
    board = pd.concat([board.drop(columns=["seeds", "reason"]) for board in boards.values()], axis=1)
    frame = _frame(cells)
    grouped = frame.groupby(IDENTITY, sort=False)
    board = boards["ndcg_m"][["seeds", "reason"]].join(board)
    board = board.join(grouped[list(MEANS)].agg(mean_of_all)).join(grouped[ABOVE].agg(_count)).reset_index()
    board[ABOVE] = board[ABOVE].fillna("")
    for name, chance in frame.groupby("dataset")[list(CHANCES)].mean().items():
        board[name] = board["dataset"].map(chance)
    oracle = board[board["method"] == ORACLE].set_index("dataset")
    for metric in ("ndcg_m", "acc_m"):
        board[f"{metric}_oracle"] = board["dataset"].map(oracle[metric])
    return board


def _frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return a row a cell, with its margins above chance and above |z| on the same seed."""
    numbers = [*MEANS, *CHANCES]
    frame = pd.DataFrame(cells).reindex(columns=[*IDENTITY, "seed", *numbers])
    frame[numbers] = frame[numbers].astype(float)
    return _with_margins(frame, ["dataset", "seed"])


def _with_margins(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add the columns of `ABOVE`: the headline figure, and how far it is above that of |z|."""
    of_z = frame.loc[frame["method"] == Z_SCORE, [*keys, HEADLINE]].rename(columns={HEADLINE: "of_z"})
    frame = frame.merge(of_z, "left", on=keys)
    margin = (frame[HEADLINE] - frame["of_z"]).mask(frame["method"] == Z_SCORE)
    return frame.assign(above_chance=frame[HEADLINE], above_z=margin).drop(columns="of_z")


def _compared(cells: Sequence[Cell], metric: str, published: pd.DataFrame) -> pd.DataFrame:
    """Return `compare`'s columns for one metric under names of their own, by data set and method."""
    board = compare(cells, metric, published[published["metric"] == metric]).set_index(IDENTITY)
    parts = {"ours": metric, "ours_std": f"{metric}_std"}
    parts |= {name: f"{metric}_{name}" for name in ("published", "published_std", "inside")}
    return board[["seeds", "reason", *parts]].rename(columns=parts)


def mean_of_all(values: pd.Series) -> float:
    """Return the mean, NaN where a value is: no mean hides a missing one."""
    return float(values.mean(skipna=False))


def _count(margins: pd.Series) -> str:
    """Return how many margins are positive, of those known: "4/5"."""
    known = margins.notna().sum()
    return f"{(margins > 0).sum()}/{known}" if known else ""


def summarise_explanations(board: pd.DataFrame) -> pd.DataFrame:
    """Return each explainer's means over the data sets, and on how many of these it is above chance and |z|.

    Means are NaN where one data set lacks a figure, or nothing was published on it.
    """
    figures = ["ndcg_m", "ndcg_m_detected", "ndcg_m_published", "ndcg_m_chance", HEADLINE]
    grouped = _with_margins(board.drop(columns=ABOVE), ["dataset"]).groupby("method", sort=False)
    return grouped[figures].agg(mean_of_all).join(grouped[ABOVE].agg(_count)).reset_index()
