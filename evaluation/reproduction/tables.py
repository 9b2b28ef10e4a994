"""Comparisons as tables: for the terminal, as Markdown, as CSV."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from xadbench.datasets.common.rendering import as_csv, as_markdown, as_rich, escaped, plain
from xadbench.datasets.files import atomic_write

from .comparison import complete_datasets, summarise

NOTES = (
    "ours, published: mean and standard deviation over seeds. diff.: ours less published. in 2 std: whether "
    "ours, rounded as the published, is within two published standard deviations (0.00 leaves no room). '-': "
    "a seed failed, or nothing was published or run. Means and mean ranks (1 = best, ties at their mean) are "
    "over the data sets on which every method run has all its seeds."
)
COMPARISON = ["data set", "method", "ours", "seeds", "published", "diff.", "in 2 std"]
NAMES = frozenset({"data set", "method", "source", "series"})
SUMMARY = ["method", "ours", "published", "rank", "published rank", "in 2 std"]


def publish(board: pd.DataFrame, title: str, name: str, folder: Path, console: Console) -> None:
    """Print a comparison and its summary; write both to `NAME.md`, and the comparison to `NAME.csv`."""
    summary, missing = summarise(board), _about_missing(board)
    heading = f"Over {len(complete_datasets(board))} data set(s)"
    compared, summarised = comparison_cells(board), summary_cells(summary)
    print_table(title, compared, console)
    print_table(heading, summarised, console)
    console.print(NOTES, *map(plain, missing), sep="\n", highlight=False, markup=False)
    parts = [f"# {title}", as_markdown(compared)]
    parts += [f"## {heading}", as_markdown(summarised), NOTES]
    parts += map(escaped, missing)
    write_text(folder / f"{name}.md", "\n\n".join([*parts, ""]))
    write_text(folder / f"{name}.csv", as_csv(board))
    console.print(f"Written: {folder / name}.md, .csv", highlight=False, soft_wrap=True, markup=False)


def comparison_cells(board: pd.DataFrame) -> pd.DataFrame:
    """Return a comparison as text, under headings."""
    rows = [
        [
            row["dataset"],
            row["method"],
            _figure(row["ours"], row["ours_std"], 3),
            row["seeds"] or "-",
            _figure(row["published"], row["published_std"], 2),
            number(row["difference"], "+.3f"),
            {True: "yes", False: "no"}.get(row["inside"], "-"),
        ]
        for row in _records(board)
    ]
    return pd.DataFrame(rows, columns=COMPARISON)


def summary_cells(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a summary as text, under headings."""
    rows = [
        [
            row["method"],
            *(number(row[name], ".3f") for name in ("ours", "published")),
            *(number(row[name], ".2f") for name in ("rank", "published_rank")),
            row["inside"] or "-",
        ]
        for row in _records(summary)
    ]
    return pd.DataFrame(rows, columns=SUMMARY)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _figure(mean: float, std: float, decimals: int) -> str:
    return "-" if pd.isna(mean) else f"{mean:.{decimals}f}±{std:.{decimals}f}"


def number(value: float, form: str) -> str:
    """Return a number as text in a format such as ".2f", "-" for NaN."""
    return "-" if pd.isna(value) else f"{value:{form}}"


def _about_missing(board: pd.DataFrame) -> list[str]:
    """Return a line for each row whose cells are not all there, and one for the data sets left out."""
    lacking = board[(board["seeds"] != "") & board["ours"].isna()]
    lines = [
        f"{row.method} on {row.dataset}: {row.seeds} seeds: {row.reason}" for row in lacking.itertuples()
    ]
    left_out = list(dict.fromkeys(lacking["dataset"]))
    return [*lines, f"Not in the means and ranks: {', '.join(left_out)}"] if left_out else lines


def print_table(title: str, table: pd.DataFrame, console: Console) -> None:
    """Print a table, for a terminal of 80 columns or more; with a line between data sets."""
    sets = table.get("data set", pd.Series(dtype=object))
    changes = np.flatnonzero(sets.ne(sets.shift()))
    console.print(as_rich(table, title, NAMES, sections=changes, padding=0, edge=False))


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path) as file:
        file.write(text.encode())
