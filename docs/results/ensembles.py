"""Averages of DSIL detectors' ranks, on the data sets of `table1.csv`: what was tried, and does not hold.

    XADBENCH_ADBENCH_DIR=... OMP_NUM_THREADS=1 python docs/results/ensembles.py > docs/results/ensembles.csv

Every member below by itself, in pairs and in triples. A choice is to be made by `chosen_on`, the mean over
every other data set; `held_out` says whether it holds. The last row is DSIL fixed over DTE, of `table1.csv`.
"""

import sys
from itertools import combinations
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.mcd import MCD
from scipy.stats import median_abs_deviation, rankdata
from sklearn.neighbors import NearestNeighbors

from xadbench.datasets import load_adbench, resize, standardise
from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.rng import stream
from xadbench.dsil import DSIL, Gaussian
from xadbench.dsil.detectors.retention import Fixed
from xadbench.evaluation.metrics import auc_roc

SEEDS = (0, 1)
WIDE = 100  # features beyond which MCD takes minutes; the Gaussian stands in


class DistinctNeighbours:
    """Mean distance to the 20 nearest distinct rows but for the row itself."""

    def fit(self, X: FloatArray) -> Self:
        """Keep the distinct rows."""
        rows = np.unique(X, axis=0)
        self.neighbours = NearestNeighbors(n_neighbors=min(21, len(rows))).fit(rows)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the distances."""
        return np.asarray(self.neighbours.kneighbors(X)[0][:, 1:].mean(axis=1))


def members(X: FloatArray, seed: int) -> dict[str, FloatArray]:
    """Return the ranks of rows (n, d) by each member."""
    deviation = median_abs_deviation(X, axis=0, scale="normal")
    robust = np.clip((X - np.median(X, axis=0)) / np.where(deviation > 0, deviation, 1.0), -20, 20)
    scores = {
        "Gaussian .5": dsil(Gaussian(), 0.5, X),
        "Gaussian .7": dsil(Gaussian(), 0.7, X),
        "Gaussian .5, robust scaling": dsil(Gaussian(), 0.5, robust),
        "neighbours .6": dsil(DistinctNeighbours(), 0.6, X),
        "neighbours .6, robust scaling": dsil(DistinctNeighbours(), 0.6, robust),
        "isolation forest .5": dsil(IForest(random_state=seed), 0.5, X),
        "histograms .5": dsil(HBOS(), 0.5, X),
    }
    wide = X.shape[1] > WIDE
    scores["MCD"] = scores["Gaussian .5"] if wide else MCD(random_state=seed).fit(X).decision_scores_
    return {name: rankdata(values) for name, values in scores.items()}


def dsil(base: object, ratio: float, X: FloatArray) -> FloatArray:
    """Return DSIL's scores of the rows that it learnt from."""
    return DSIL(base, Fixed(ratio), iterations=8).fit(X).decision_scores_


def aucs(name: str, seed: int) -> dict[str, float]:
    """Return the AUC-ROC of each member, pair and triple."""
    table = standardise(resize(load_adbench(name), stream(seed, "resize")))
    ranks = members(table.X, seed)
    chosen = [names for size in (1, 2, 3) for names in combinations(ranks, size)]
    return {
        " + ".join(names): auc_roc(np.sum([ranks[n] for n in names], axis=0), table.y) for names in chosen
    }


def main() -> None:
    """Print the twenty best by all data sets, and the best of those chosen on every other."""
    table = pd.read_csv(Path(__file__).with_name("table1.csv"))
    theirs = table[table["method"] == "dsil_fixed"].set_index("dataset")["ours"]
    board = pd.DataFrame({name: pd.DataFrame([aucs(name, s) for s in SEEDS]).mean() for name in theirs.index})
    board.loc["DSIL fixed over DTE"] = theirs
    halves = pd.DataFrame(
        {
            "all": board.mean(axis=1),
            "chosen_on": board.iloc[:, ::2].mean(axis=1),
            "held_out": board.iloc[:, 1::2].mean(axis=1),
        }
    )
    best = halves.sort_values("all", ascending=False).head(20)
    chosen = halves.sort_values("chosen_on", ascending=False).head(5)
    shown = pd.concat([best, chosen, halves.tail(1)])
    shown[~shown.index.duplicated()].round(3).to_csv(sys.stdout, index_label="ensemble")


if __name__ == "__main__":
    main()
