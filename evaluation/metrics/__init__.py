"""Metrics: pure functions, and registries that say what a reader must know about them.

`METRICS` judge attributions row by row, `DETECTION` judges the scores of a detector.
"""

from collections.abc import Callable

from xadbench.datasets.arrays import BoolArray, FloatArray

from .base import Metric
from .baselines import BASELINES, Baseline, make_baseline
from .detection import auc_roc, average_precision, f1_at_n
from .faithfulness import faithfulness_at_k
from .infidelity import infidelity
from .perturbed import Score
from .ranking import acc_m, adjusted, chance_level, ndcg_m

__all__ = [
    "Metric",
    "METRICS",
    "DETECTION",
    "ndcg_m",
    "acc_m",
    "chance_level",
    "adjusted",
    "auc_roc",
    "average_precision",
    "f1_at_n",
    "Score",
    "infidelity",
    "faithfulness_at_k",
    "BASELINES",
    "Baseline",
    "make_baseline",
]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="ndcg_m",
            description="discounted share of culprits among the m most blamed features, m culprits in all",
            per_row=ndcg_m,
            chance=chance_level,
            best=1.0,
            range=(0.0, 1.0),
            source="Vincent et al. 2025, nDCG_k with k = m; Järvelin & Kekäläinen 2002",
        ),
        Metric(
            name="acc_m",
            description="share of culprits among the m most blamed features, m culprits in all",
            per_row=acc_m,
            chance=chance_level,
            best=1.0,
            range=(0.0, 1.0),
            source="Vincent et al. 2025, Acc_m",
        ),
    )
}

DETECTION: dict[str, Callable[[FloatArray, BoolArray], float]] = {
    "auc_roc": auc_roc,
    "average_precision": average_precision,
    "f1_at_n": f1_at_n,
}
