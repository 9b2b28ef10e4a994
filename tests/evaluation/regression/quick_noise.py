"""Prints `quick_noise.csv`: what `test_noise.py` takes for the noise of real runs.

    python tests/evaluation/regression/quick_noise.py RUN [RUN ...] > quick_noise.csv

Each RUN is the folder of a run of suite quick, which its name becomes; `test_noise.py` says which there
are.
"""

import sys
from pathlib import Path

import pandas as pd

from xadbench.evaluation.results.store import load
from xadbench.evaluation.suite.controls import CONTROLS

OWN = ["seed", "table", "detector", "explainer"]
SCORE = "adjusted_ndcg_m"


def trials(run: str) -> pd.DataFrame:
    """Return the score and the time of each trial of an explainer that computes something."""
    results = load(run)
    is_score = (results["scope"] == "detected") & (results["metric"] == SCORE)
    part = results[is_score & ~results["explainer"].isin([*CONTROLS, "random"])].sort_values(OWN)
    return part.assign(run=Path(run).name)[["run", *OWN, "value", "normalised_time"]].rename(
        columns={"value": SCORE}
    )


if __name__ == "__main__":
    pd.concat(map(trials, sys.argv[1:])).to_csv(sys.stdout, index=False, float_format="%.5g")
