"""Explanation results beside the published: tables III to V, and figure 2."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from xadbench.datasets.common.rendering import as_csv, as_markdown, escaped, plain
from xadbench.evaluation.results.store import Record

from .comparison import IDENTITY, Cell, compare
from .explanation_cells import ground_truth_cells, score_change_cells
from .explanation_comparison import explanation_board, mean_of_all, summarise_explanations
from .plots import draw_panels
from .published_figures import published_explanations
from .tables import number, print_table, write_text

TITLES = {
    "table3": ("table3_synthetic_explanations", "Table III: attributions on synthetic sets"),
    "table4": (
        "table4_injected_adbench_explanations",
        "Table IV: attributions on ADBench with injected anomalies",
    ),
}
ON_ROWS = "-rows"  # how table IV's sets are called where anomalies go into real rows
EXPLANATION_COLUMNS = {  # the board's columns by heading, those of the terminal first
    "nDCG": "ndcg_m",
    "nDCG det.": "ndcg_m_detected",
    "paper nDCG": "ndcg_m_published",
    "chance": "ndcg_m_chance",
    "Acc": "acc_m",
    "paper Acc": "acc_m_published",
    "adj.": "adjusted_ndcg_m",
    "> chance": "above_chance",
    "> z": "above_z",
    "s": "seconds",
    "paper s": "seconds_published",
    "oracle": "ndcg_m_oracle",
    "chance det.": "acc_m_chance",
    "seeds": "seeds",
}
IN_TERMINAL = 11  # for 80 columns; the oracle has a row of its own
SUMMARY = {
    "nDCG": "ndcg_m",
    "nDCG det.": "ndcg_m_detected",
    "paper nDCG": "ndcg_m_published",
    "chance": "ndcg_m_chance",
    "adj.": "adjusted_ndcg_m",
    "tables > chance": "above_chance",
    "tables > z": "above_z",
}
EXPLANATION_NOTES = (
    "Rows: the n highest-scored, n the number of anomalies. nDCG: nDCG_m over all of them, false positives "
    "as 0, with what a blind guess gets (chance), and what is best for who knows the network and "
    "the kinds (oracle). nDCG det.: over the true anomalies among them, with chance det.; so is Acc, Acc_m. "
    "We understand the published code to take nDCG as the former and Acc as the latter. adj.: nDCG det. over "
    "the rows of which some features are responsible and others not, 0 = a blind guess, 1 = the truth. "
    "> chance, > z: on how many seeds adj. is above 0, and above that of z_score, the distance from the "
    "mean. s: seconds to explain these rows and the other anomalies, on one thread, without fit and first "
    "call. "
    "'-': a seed failed, or nothing was published or "
    "run. The paper's gradient is a softmax of the signed gradient of another function; ours (saliency) is "
    "the absolute gradient of the score. NAME-rows: anomalies in real rows, of which the paper's text "
    "speaks, rather than in rows drawn from a mixture, as its code has it; the published figures stand "
    "beside both."
)
EXTRAS = ("infidelity_of_nothing", "infidelity_rescaled")
INFIDELITY = ["infidelity", "paper", "of nothing", "rescaled", "seeds"]
INFIDELITY_NOTES = (
    "Mean over the n highest-scored rows, lower is better, in squared units of the score; each explainer's "
    "attributions have a unit of their own. of nothing: of naming no feature, so that more than this says "
    "less than nothing. rescaled: with each row's attributions multiplied by the factor that serves it best. "
    "random: the level of chance. The paper's figures are no infidelities: its code squares norms instead of "
    "a scalar product, and sees of an attribution only its norm. They cannot be matched; they stand here for "
    "the record."
)
CURVES = ["k=3", "k=5", "k=7", "mean", "undefined", "seeds"]
FAITHFULNESS = "faithfulness at k"
FAITHFULNESS_NOTES = (
    "Correlation, over 100 subsets of k features, of their attributions with the fall of the score when they "
    "are set to their means; mean over the n highest-scored rows where it is defined, then over seeds. mean: "
    "over all k. undefined: share of the rows, over all k, where attributions or falls do not vary. seeds: "
    "of all, those that every mean has. random: a control, 0 except for noise. The published figure gives no "
    "numbers."
)


def explanation_table(name: str, records: Sequence[Record], folder: Path, console: Console) -> None:
    """Print and write table III or IV (`name` "table3" or "table4")."""
    source, title = TITLES[name]
    theirs = published_explanations(source)
    on_rows = theirs.assign(dataset=theirs["dataset"] + ON_ROWS)  # published once, and meant for either
    board = explanation_board(ground_truth_cells(records), pd.concat([theirs, on_rows]))
    summary = summarise_explanations(board)
    heading = f"Means over {board['dataset'].nunique()} data set(s)"
    console.print(title, highlight=False)
    short = dict(list(EXPLANATION_COLUMNS.items())[:IN_TERMINAL])
    for dataset, rows in board.groupby("dataset", sort=False):
        print_table(f"{dataset}: {_about(rows)}", _cells(rows, short, 2), console)
    wide, means = _cells(board, EXPLANATION_COLUMNS, 3), _cells(summary, SUMMARY, 3)
    wide.insert(0, "data set", board["dataset"])
    print_table(heading, means, console)
    parts = [f"# {title}", as_markdown(wide), f"## {heading}", as_markdown(means), "## Detector"]
    parts += [f"{dataset}: {_about(rows)}." for dataset, rows in board.groupby("dataset", sort=False)]
    _write(board, parts, folder / name, console, notes=EXPLANATION_NOTES, reasons=_about_missing(board))


def _about(rows: pd.DataFrame) -> str:
    """Return what is the same for all explainers of a data set."""
    auc, informative, explained = rows[["auc_roc", "n_informative", "n_explained"]].mean()
    behind = f"{number(informative, '.0f')} of {number(explained, '.0f')} rows behind adj."
    return f"AUC-ROC {number(auc, '.2f')}, {behind}"


def _cells(board: pd.DataFrame, columns: Mapping[str, str], decimals: int) -> pd.DataFrame:
    """Return a board's columns as text under their headings, `method` first."""
    rows = [
        [row["method"], *(_cell(row, name, decimals) for name in columns.values())]
        for _, row in board.iterrows()
    ]
    return pd.DataFrame(rows, board.index, columns=["method", *columns])


def _cell(row: "pd.Series[Any]", name: str, decimals: int) -> str:
    """Return a figure as text; with more than two decimals, with its deviation where it has one."""
    if isinstance(row[name], str):
        return row[name] or "-"
    if name.startswith("seconds"):
        return number(row[name], ".1f")
    reported = number(row[name], ".2f" if name.endswith("_published") else f".{decimals}f")
    std = row.get(f"{name}_std")
    has_std = decimals > 2 and std is not None and not pd.isna(std)
    return f"{reported}±{std:.{len(reported.partition('.')[2])}f}" if has_std else reported


def infidelity_table(records: Sequence[Record], folder: Path, console: Console) -> None:
    """Print and write table V."""
    theirs, of_records = published_explanations("table5_infidelity"), score_change_cells(records)
    board = compare(of_records, "infidelity", theirs[theirs["metric"] == "infidelity"])
    cells = (
        pd.DataFrame(of_records).reindex(columns=[*IDENTITY, *EXTRAS]).astype(dict.fromkeys(EXTRAS, float))
    )
    extras = cells.groupby(IDENTITY, sort=False)[list(EXTRAS)].agg(mean_of_all)
    board = board.drop(columns=["difference", "inside"]).merge(extras.reset_index(), "left", on=IDENTITY)
    rows = [[str(row["dataset"]), str(row["method"]), *_infidelity_cells(row)] for _, row in board.iterrows()]
    title = "Table V: infidelity"
    table = pd.DataFrame(rows, columns=["data set", "method", *INFIDELITY])
    print_table(title, table, console)
    parts = [f"# {title}", as_markdown(table)]
    _write(board, parts, folder / "table5", console, notes=INFIDELITY_NOTES, reasons=_about_missing(board))


def _infidelity_cells(row: "pd.Series[Any]") -> list[str]:
    figures = (row[name] for name in ("ours", "published", *EXTRAS))
    return [*(number(value, ".2e") for value in figures), row["seeds"] or "-"]


def faithfulness_figure(records: Sequence[Record], folder: Path, console: Console) -> None:
    """Print, write and draw figure 2."""
    title, path = "Figure 2: faithfulness at k", folder / "figure2"
    cells = score_change_cells(records)
    points = faithfulness_points(cells)
    rows = [[*map(str, names), *_curve_cells(curve)] for names, curve in points.groupby(IDENTITY, sort=False)]
    table = pd.DataFrame(rows, columns=["data set", "method", *CURVES])
    print_table(title, table, console)
    parts = [f"# {title}", "![The curves](figure2.png)", as_markdown(table)]
    missing = [cell for cell in cells if cell["status"] != "ok"]
    _write(points, parts, path, console, notes=FAITHFULNESS_NOTES, reasons=_reasons(pd.DataFrame(missing)))
    if len(points):
        drawn = points.rename(columns={"dataset": "panel", "method": "series", "mean": FAITHFULNESS})
        draw_panels(drawn, title, "k", FAITHFULNESS, path)


def faithfulness_points(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return `mean` and `std` over seeds by `dataset`, `method` and `k`; sums `undefined`, `rows`; `seeds`.

    Seeds where the correlation is defined on no row, and those that failed, are left out of the mean; `seeds`
    says how many are in it, of all: "4/5".
    """
    reported = [
        {name: cell[name] for name in IDENTITY} | point | {"rows": cell["n_explained"]}
        for cell in cells
        for point in cell.get("faithfulness", [])
    ]
    columns = [*IDENTITY, "k", "mean", "undefined", "rows"]
    frame = pd.DataFrame(reported, columns=columns).astype({"mean": float})
    points = (
        frame.groupby([*IDENTITY, "k"], sort=False)
        .agg(
            mean=("mean", "mean"),
            std=("mean", lambda values: values.std(ddof=0)),
            undefined=("undefined", "sum"),
            rows=("rows", "sum"),
            seeds=("mean", "count"),
        )
        .reset_index()
    )
    n_seeds = Counter(tuple(cell[name] for name in IDENTITY) for cell in cells)
    points["seeds"] = [
        f"{n}/{n_seeds[a, b]}" for a, b, n in points[[*IDENTITY, "seeds"]].itertuples(index=False)
    ]
    return points


def _curve_cells(curve: pd.DataFrame) -> list[str]:
    at_k = curve.set_index("k")["mean"].reindex([3, 5, 7])
    undefined = curve["undefined"].sum() / curve["rows"].sum()
    means = (number(value, ".3f") for value in [*at_k, curve["mean"].mean()])
    return [
        *means,
        f"{undefined:.1%}",
        min(curve["seeds"], key=lambda reported: int(reported.partition("/")[0])),
    ]


def _about_missing(board: pd.DataFrame) -> list[str]:
    return _reasons(board[board["reason"].notna()])


def _reasons(lacking: pd.DataFrame) -> list[str]:
    """Return a line for each method and reason, naming the data sets."""
    if lacking.empty:
        return []
    names = lacking.groupby(["method", "reason"], sort=False)["dataset"].agg(_listed).reset_index()
    return [f"{row.method} on {row.dataset}: {row.reason}" for row in names.itertuples()]


def _listed(names: "pd.Series[str]") -> str:
    return ", ".join(dict.fromkeys(names))


def _write(
    board: pd.DataFrame,
    parts: Sequence[str],
    path: Path,
    console: Console,
    *,
    notes: str,
    reasons: Sequence[str],
) -> None:
    """Print notes and reasons; write the parts and these to PATH.md, and the board to PATH.csv."""
    write_text(path.with_suffix(".md"), "\n\n".join([*parts, notes, *map(escaped, reasons), ""]))
    write_text(path.with_suffix(".csv"), as_csv(board))
    lines = map(plain, [notes, *reasons, f"Written: {path}.md, .csv"])
    console.print(*lines, sep="\n", highlight=False, soft_wrap=True)
