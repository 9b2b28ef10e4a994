"""Metrics: pure functions, and registries that say what a reader must know about them.

`METRICS` evaluate attributions row by row, `DETECTION` evaluates the scores of a detector, `FILL_VALUES`
are the values that stand for an absent feature. `metered` tells what a computation costs.
"""

from collections.abc import Callable

from xadbench.datasets.common.arrays import BoolArray, FloatArray

from .base import Explained, Metric, mean_over_sizes
from .cells import (
    average_precision_chance,
    average_precision_variance,
    cell_auc_roc,
    cell_average_precision,
    reciprocal_rank,
    reciprocal_rank_chance,
    reciprocal_rank_variance,
)
from .cost import Cost, counted, matmul_seconds, metered
from .detection import auc_roc, average_precision, f1_at_n
from .erasure import (
    comprehensiveness,
    comprehensiveness_curve,
    set_sizes,
    sufficiency,
    sufficiency_curve,
    total_fall,
)
from .faithfulness import faithfulness, faithfulness_at_k, faithfulness_curve, fidelity
from .fill_values import FILL_VALUES, FillValue, make_fill_value
from .infidelity import infidelity
from .perturbed import Score
from .pooled import pooled_interval, pooled_ratio
from .ranking import acc_m, adjusted, chance_level, graded_acc_m, graded_gains, graded_ndcg_m, ndcg_m
from .registry import METRICS, RANKING, SET_SIZES
from .robustness import batch_agreement, max_sensitivity, rank_agreement, seed_agreement

__all__ = [
    "Metric",
    "Explained",
    "METRICS",
    "RANKING",
    "SET_SIZES",
    "DETECTION",
    "ndcg_m",
    "acc_m",
    "reciprocal_rank",
    "cell_average_precision",
    "cell_auc_roc",
    "graded_ndcg_m",
    "graded_acc_m",
    "graded_gains",
    "chance_level",
    "reciprocal_rank_chance",
    "reciprocal_rank_variance",
    "average_precision_chance",
    "average_precision_variance",
    "adjusted",
    "auc_roc",
    "average_precision",
    "f1_at_n",
    "Score",
    "infidelity",
    "faithfulness_at_k",
    "faithfulness_curve",
    "faithfulness",
    "fidelity",
    "comprehensiveness_curve",
    "comprehensiveness",
    "sufficiency_curve",
    "sufficiency",
    "total_fall",
    "pooled_ratio",
    "pooled_interval",
    "set_sizes",
    "mean_over_sizes",
    "FILL_VALUES",
    "FillValue",
    "make_fill_value",
    "max_sensitivity",
    "rank_agreement",
    "seed_agreement",
    "batch_agreement",
    "Cost",
    "metered",
    "counted",
    "matmul_seconds",
]

DETECTION: dict[str, Callable[[FloatArray, BoolArray], float]] = {
    "auc_roc": auc_roc,
    "average_precision": average_precision,
    "f1_at_n": f1_at_n,
}
