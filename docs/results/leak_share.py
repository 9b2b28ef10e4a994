"""How much of table IV was leak: python docs/results/leak_share.py BEFORE AFTER.

BEFORE and AFTER are folders of runs of leak-share.yaml, before the ground truth stopped leaking (commit
7608410, without `protocol`, which it did not have) and after. Writes leak-share.csv beside this file:
adjusted nDCG_m over all anomalies, mean and standard deviation over five seeds.
"""

import json
import sys
from pathlib import Path

import pandas as pd


def scores(run: Path, when: str) -> pd.DataFrame:
    """Return the scores of a run's trials."""
    records = [json.loads(path.read_text()) for path in sorted((run / "trials").glob("*.json"))]
    return pd.DataFrame(
        [
            {
                "when": when,
                "table": record["table"]["label"],
                "explainer": record["explainer"]["label"],
                "adjusted_ndcg_m": record["scores"]["anomalies"]["adjusted_ndcg_m"],
            }
            for record in records
            if record["status"] == "ok"
        ]
    )


def main(before: Path, after: Path) -> None:
    """Write the means."""
    found = pd.concat([scores(before, "before"), scores(after, "after")])
    groups = found.groupby(["table", "explainer", "when"])["adjusted_ndcg_m"]
    board = groups.agg(["mean", "std", "count"]).round(3).reset_index()
    board.to_csv(Path(__file__).with_name("leak-share.csv"), index=False)
    print(board.pivot_table(index=["table", "explainer"], columns="when", values="mean"))  # noqa: T201  # a script


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
