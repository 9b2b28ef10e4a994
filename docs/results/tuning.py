"""How `dsil_tuned` was chosen: DSIL over other bases and with other retention, on ten data sets.

    XADBENCH_ADBENCH_DIR=... OMP_NUM_THREADS=1 python docs/results/tuning.py > docs/results/tuning.csv

These ten are every other one of the twenty smallest of `table1.md`; the other ten were not looked at.
"""

import sys

import pandas as pd
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.knn import KNN

from xadbench.datasets import load_adbench, resize, standardise
from xadbench.datasets.streams import stream
from xadbench.dsil import DSIL, Gaussian
from xadbench.dsil.retention import Fixed
from xadbench.evaluation.metrics import auc_roc

CHOSEN_ON = (
    "WBC",
    "breastw",
    "vertebral",
    "Pima",
    "Cardiotocography",
    "WPBC",
    "cardio",
    "PageBlocks",
    "Wilt",
    "SpamBase",
)
SEEDS = (0, 1)
BASES = {
    "Gaussian": Gaussian(),
    "KNN, mean of 20": KNN(n_neighbors=20, method="mean"),
    "KNN, mean of 40": KNN(n_neighbors=40, method="mean"),
    "HBOS": HBOS(),
    "ECOD": ECOD(),
}
RATIOS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)


def main() -> None:
    """Print the mean AUC-ROC over the data sets and seeds of every candidate, and that of each data set."""
    tables = {
        (name, seed): standardise(resize(load_adbench(name), stream(seed, "resize")))
        for name in CHOSEN_ON
        for seed in SEEDS
    }
    rows = []
    for base, detector in BASES.items():
        for ratio in RATIOS:
            aucs = {
                key: auc_roc(DSIL(detector, Fixed(ratio)).fit(table.X).decision_scores_, table.y)
                for key, table in tables.items()
            }
            by_set = pd.Series(aucs).groupby(level=0, sort=False).mean()
            rows.append({"base": base, "retention": ratio, "mean": by_set.mean(), **by_set})
    pd.DataFrame(rows).round(4).to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
