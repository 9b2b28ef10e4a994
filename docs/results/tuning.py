"""DSIL over other bases than DTE, on the twenty smallest data sets of `table1.md`: what was tried.

    XADBENCH_ADBENCH_DIR=... OMP_NUM_THREADS=1 python docs/results/tuning.py > docs/results/tuning.csv

A choice is to be made by `chosen_on`, the mean over every other data set; `held_out` says whether it holds.
"""

import sys
from collections.abc import Iterator

import pandas as pd
from pyod.models.hbos import HBOS
from pyod.models.knn import KNN

from xadbench.datasets import load_adbench, resize, standardise
from xadbench.datasets.rng import stream
from xadbench.dsil import DSIL, Gaussian
from xadbench.dsil.detectors.retention import Fixed
from xadbench.evaluation.metrics import auc_roc
from xadbench.evaluation.reproduction.published_figures import available, published_datasets

SEEDS = (0, 1)
CANDIDATES = [
    *(("Gaussian", Gaussian(), ratio) for ratio in (0.5, 0.7, 0.85, 0.95)),
    *(("HBOS", HBOS(), ratio) for ratio in (0.5, 0.7)),
    ("KNN, mean of 40", KNN(n_neighbors=40, method="mean"), 0.7),
]


def results() -> Iterator[dict[str, object]]:
    """Yield the AUC-ROC of each candidate on each data set, mean over seeds."""
    names, _ = available(published_datasets(), 20)
    for base, detector, ratio in CANDIDATES:
        for i, name in enumerate(names):
            tables = [standardise(resize(load_adbench(name), stream(seed, "resize"))) for seed in SEEDS]
            aucs = [
                auc_roc(DSIL(detector, Fixed(ratio)).fit(own.X).decision_scores_, own.y) for own in tables
            ]
            half = "held_out" if i % 2 else "chosen_on"
            yield {"base": base, "retention": ratio, "dataset": name, "half": half, "auc_roc": sum(aucs) / 2}


def main() -> None:
    """Print a row a candidate: the means of both halves, then each data set."""
    frame = pd.DataFrame(results())
    index = ["base", "retention"]
    halves = frame.pivot_table(index=index, columns="half", values="auc_roc", sort=False)
    by_set = frame.pivot_table(index=index, columns="dataset", values="auc_roc", sort=False)
    halves.join(by_set).round(3).to_csv(sys.stdout)


if __name__ == "__main__":
    main()
