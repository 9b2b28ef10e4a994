"""What the paper's figures show: all methods, the retention ratio, and one iteration after another."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from xadbench.datasets.common.rendering import as_csv, as_markdown, escaped, plain

from .comparison import Cell, mean_ranks
from .plots import BOLD, draw_bars, draw_lines
from .published_figures import published
from .tables import print_table, write_text

AUC = "AUC-ROC"
MEAN_RANK = "mean rank"
RATIO, ITERATION = "retention ratio", "iteration"
RESIZED = (
    "Ours are on tables resized as behind table I: below 1,000 rows, rows are repeated and become each "
    "other's neighbours, which changes methods by neighbours. The published may be without that."
)


def figure1(cells: Sequence[Cell], folder: Path, console: Console) -> None:
    """Show mean AUC-ROC and mean rank of ours and of the published methods, over the same data sets."""
    kept, lines = _complete(cells, "auc_roc")
    board = ranking(kept) if kept else None
    title = f"Figure 1: all methods on {len({cell['dataset'] for cell in kept})} data set(s)"
    _publish(board, title, folder / "figure1", [RESIZED, *lines], console)
    if board is not None:
        draw_bars(board, title, (AUC, MEAN_RANK), folder / "figure1")


def ranking(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return columns `method`, `source` ("ours" or "published"), `AUC-ROC` and `mean rank`, the best first.

    Both are means over the data sets of the cells; ranks are among all, ours and published, 1 = highest,
    ties at their mean. A published method with a gap on one of the data sets is left out.
    """
    frame = pd.DataFrame([{key: cell[key] for key in ("dataset", "method", "auc_roc")} for cell in cells])
    ours = frame.pivot_table(index="dataset", columns="method", values="auc_roc", sort=False)
    theirs = published("figure1_unsupervised_auc_roc").pivot_table(
        index="dataset", columns="method", values="mean", sort=False
    )
    figures = pd.concat(
        {"ours": ours, "published": theirs.reindex(ours.index).dropna(axis="columns")}, axis="columns"
    )
    board = pd.DataFrame({AUC: figures.mean(), MEAN_RANK: mean_ranks(figures)})
    board = board.rename_axis(["source", "method"]).reset_index()
    return board.sort_values(MEAN_RANK, kind="stable", ignore_index=True)[
        ["method", "source", AUC, MEAN_RANK]
    ]


def retention_study(cells: Sequence[Cell], folder: Path, console: Console) -> None:
    """Show the AUC-ROC of each data set, and their mean, by the share of rows that DSIL keeps."""
    kept, lines = _complete(cells, "auc_roc")
    points = [(cell["dataset"], cell["params"]["r"], cell["auc_roc"]) for cell in kept]
    means = [(BOLD, ratio, auc) for _, ratio, auc in points]
    _curves([*means, *points], RATIO, folder / "retention-study", lines, console)


def iteration_curve(cells: Sequence[Cell], folder: Path, console: Console) -> None:
    """Show the AUC-ROC of each method after each iteration, mean over data sets and seeds."""
    kept, lines = _complete(cells, "iteration_auc_roc")
    points = [
        (cell["method"], t, auc) for cell in kept for t, auc in enumerate(cell["iteration_auc_roc"], start=1)
    ]
    _curves(points, ITERATION, folder / "iteration-curve", lines, console)


def _complete(cells: Sequence[Cell], needed: str) -> tuple[list[Cell], list[str]]:
    """Return the cells of the data sets where no cell lacks `needed`, and a line for each of the others."""
    reasons = {
        cell["dataset"]: f"{cell['method']}, seed {cell['seed']}: {cell['reason'] or 'no ' + needed}"
        for cell in cells
        if cell.get(needed) is None
    }
    lines = [f"Left out: {dataset} ({reason})" for dataset, reason in reasons.items()]
    return [cell for cell in cells if cell["dataset"] not in reasons], lines


def _curves(
    points: Sequence[tuple[str, float, float]], x: str, path: Path, lines: Sequence[str], console: Console
) -> None:
    """Publish the mean of the points of equal series and x."""
    title, frame = f"{AUC} by {x}", pd.DataFrame(points, columns=["series", x, AUC])
    curves = frame.groupby(["series", x], sort=False)[AUC].mean().reset_index()
    _publish(curves if len(curves) else None, title, path, lines, console)
    if len(curves):
        draw_lines(curves, title, x, AUC, path)


def _publish(
    board: pd.DataFrame | None, title: str, path: Path, lines: Sequence[str], console: Console
) -> None:
    """Print a board, and write it to PATH.md and PATH.csv; without one, print only why."""
    outcome = "Nothing to show."
    if board is not None:
        table = board.map(_text)
        print_table(title, table, console)
        parts = [f"# {title}", as_markdown(table), *map(escaped, lines), ""]
        write_text(path.with_suffix(".md"), "\n\n".join(parts))
        write_text(path.with_suffix(".csv"), as_csv(board))
        outcome = f"Written: {path}.csv, .md, .png"
    console.print(*map(plain, [*lines, outcome]), sep="\n", highlight=False, soft_wrap=True)


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
