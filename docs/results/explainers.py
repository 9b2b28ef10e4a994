r"""How far `dsil_repair` leads each other explainer, with 95 % intervals: reads runs of the suites beside it.

    export XADBENCH_ADBENCH_DIR=...
    xadbench run docs/results/explainers.yaml --out runs/explainers
    xadbench run docs/results/explainers-campaign.yaml --out runs/explainers-campaign
    python docs/results/explainers.py runs/explainers > docs/results/explainers.csv
    python docs/results/explainers.py runs/explainers runs/explainers-campaign \
        > docs/results/explainers-campaign.csv

Oracle and truths are left out. Columns: `adjusted_ndcg_m`, mean over sources of tables (scope "detected");
`lead`, `low`, `high`: of dsil_repair over the entry; `cost`: processor time to fit and explain over that of
kernel_shap, summed over the tables that have it; an entry that lacks a table is left out.
"""

import sys

import pandas as pd

from xadbench.evaluation.results.statistics import common_grid, margins, sources_of
from xadbench.evaluation.results.store import load

OURS, CONTROLS = "dsil_repair", ["oracle", "truth", "inverted_truth"]


def main(*runs: str) -> None:
    """Print a row an entry, the closest to dsil_repair first."""
    results = pd.concat([load(run) for run in runs], ignore_index=True)
    results = results[~results["explainer"].isin(CONTROLS)]
    scores = results[(results["scope"] == "detected") & (results["metric"] == "adjusted_ndcg_m")]
    grid = common_grid(scores, "explainer", "value").figures
    table = margins(grid, OURS, source=sources_of(results)).rename(columns={"mean": "lead"})
    own = grid.groupby(level="table", sort=False).mean().mean()
    timed = results.drop_duplicates(["table", "seed", "explainer"])
    with_kernel = timed["table"].isin(timed.loc[timed["explainer"] == "kernel_shap", "table"])
    trials = timed[with_kernel].groupby("explainer")
    seconds = trials["cost_fit_cpu_seconds"].sum() + trials["cost_explain_cpu_seconds"].sum()
    cost = pd.Series(seconds / seconds["kernel_shap"], name="cost")
    board = own.rename("adjusted_ndcg_m").to_frame().join(table).join(cost)
    order = [OURS, *table.index]
    board.loc[order].round(3).to_csv(sys.stdout, index_label="explainer")


if __name__ == "__main__":
    main(*sys.argv[1:])
