"""Ours beside the published: by data set and method, then means and mean ranks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

DECIMALS = 2  # of the published figures
IDENTITY = ["dataset", "method"]
Cell = dict[str, Any]  # what one trial gave, flat


def compare(cells: Sequence[Cell], metric: str, published: pd.DataFrame) -> pd.DataFrame:
    """Return each method's figure on each data set, beside the published one.

    Parameters
    ----------
    cells
        A dict each data set, method and seed: `dataset`, `method`, `status`, `reason`, and the metric, which
        is absent or None where the cell failed.
    metric
        The key of the figure.
    published
        Columns `dataset`, `method`, `mean`, `std`, in the metric's unit.

    Returns
    -------
    DataFrame
        Rows in the order of the cells; published columns that nothing was run for come after the others of
        their data set, with `seeds` empty. Columns `dataset`, `method`; `ours`, `ours_std`, over seeds, NaN
        where a seed failed: no mean hides a missing cell; `seeds`, finished of all; `published`,
        `published_std`; `difference`, ours less published; `inside`, whether it is at most two published
        standard deviations, ours rounded to two decimals as the published are (None where one is missing);
        `reason`, why cells failed.
    """
    keys = (*IDENTITY, "status", "reason", metric)
    frame = pd.DataFrame([{key: cell.get(key) for key in keys} for cell in cells])
    frame[metric] = frame[metric].astype(float)
    grouped = frame.groupby(IDENTITY, sort=False)
    ours = pd.DataFrame(
        {
            "ours": grouped[metric].agg(_mean_of_all),
            "ours_std": grouped[metric].agg(_std_of_all),
            "seeds": grouped[metric].agg(lambda values: f"{values.count()}/{len(values)}"),
            "reason": grouped["reason"].first(),
        }
    ).reset_index()
    theirs = published.rename(columns={"mean": "published", "std": "published_std"})
    theirs = theirs[theirs["dataset"].isin(ours["dataset"])]
    board = _grouped_by_dataset(ours.merge(theirs, "outer", on=IDENTITY), ours, theirs)
    board["difference"] = board["ours"] - board["published"]
    board["inside"] = [
        _is_inside(*row) for row in board[["ours", "published", "published_std"]].itertuples(index=False)
    ]
    board["seeds"] = board["seeds"].fillna("")
    columns = [*IDENTITY, "ours", "ours_std", "seeds", "published", "published_std", "difference", "inside"]
    return board[[*columns, "reason"]]


def _grouped_by_dataset(board: pd.DataFrame, *sources: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by data set, then method, each in the order in which the sources name them."""
    orders = {key: list(dict.fromkeys(pd.concat([source[key] for source in sources]))) for key in IDENTITY}
    places = board[IDENTITY].apply(lambda names: names.map(orders[names.name].index))
    return board.iloc[np.lexsort([places[key] for key in reversed(IDENTITY)])].reset_index(drop=True)


def _mean_of_all(values: pd.Series) -> float:
    return float(values.to_numpy().mean())


def _std_of_all(values: pd.Series) -> float:
    return float(values.to_numpy().std())


def _is_inside(ours: float, published: float, std: float) -> bool | None:
    if np.isnan([ours, published, std]).any():
        return None
    return bool(abs(round(ours, DECIMALS) - published) <= 2 * std + 1e-9)


def summarise(board: pd.DataFrame) -> pd.DataFrame:
    """Return the methods' means and mean ranks over the data sets on which every one of them is complete.

    Parameters
    ----------
    board
        As `compare` returns it.

    Returns
    -------
    DataFrame
        Columns `method`; `ours` and `published`, means over the same data sets; `rank` and `published_rank`,
        mean ranks among the methods that were run, 1 = highest figure, ties at their mean; `inside`, how many
        of all comparisons are within two published standard deviations; `datasets`, how many there are.
        Published columns that were not run have a mean only. NaN where nothing was published, or on some data
        set.
    """
    chosen = complete_datasets(board)
    rows = board[board["dataset"].isin(chosen)]
    run = list(dict.fromkeys(rows.loc[rows["seeds"] != "", "method"]))
    methods = list(dict.fromkeys(rows["method"]))
    ours = _matrix(rows, "ours", methods)
    theirs = _matrix(rows, "published", methods)
    is_published = [method for method in run if theirs[method].notna().all()]
    return pd.DataFrame(
        {
            "ours": ours.mean(skipna=False),
            "published": theirs.mean(skipna=False),
            "rank": mean_ranks(ours[run]),
            "published_rank": mean_ranks(theirs[is_published]),
            "inside": rows.groupby("method")["inside"].agg(_share),
            "datasets": len(chosen),
        },
        index=pd.Index(methods, name="method"),
    ).reset_index()


def _share(inside: pd.Series) -> str:
    reported = inside.dropna()
    return f"{int(reported.sum())}/{len(reported)}" if len(reported) else ""


def complete_datasets(board: pd.DataFrame) -> list[str]:
    """Return the data sets on which every method that was run has all its seeds."""
    run = board[board["seeds"] != ""]
    lacking = set(run.loc[run["ours"].isna(), "dataset"])
    return [name for name in dict.fromkeys(run["dataset"]) if name not in lacking]


def mean_ranks(figures: pd.DataFrame) -> pd.Series:
    """Return the mean over the rows (data sets) of each column's rank: 1 = highest, ties at their mean."""
    return figures.rank(axis=1, ascending=False, method="average").mean()


def _matrix(rows: pd.DataFrame, column: str, methods: Sequence[str]) -> pd.DataFrame:
    """Return a column as a matrix of data sets by methods."""
    return rows.pivot_table(
        index="dataset", columns="method", values=column, sort=False, dropna=False
    ).reindex(columns=list(methods))
