"""The metrics of attributions that a suite can name."""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

from . import cells, positions
from .base import Explained, Metric, PerRow, mean_over_sizes
from .erasure import comprehensiveness_curve, sufficiency_curve, total_fall
from .faithfulness import faithfulness, faithfulness_at_k, faithfulness_curve, fidelity
from .infidelity import infidelity
from .positions import LinearMetric
from .ranking import graded_gains
from .robustness import batch_agreement, max_sensitivity, seed_agreement

SET_SIZES = tuple(range(3, 32, 2))  # k of the paper's faithfulness@k
YEH = "Yeh et al. 2019, arXiv 1901.09392"
DEYOUNG = "DeYoung et al. 2020, arXiv 1911.03429"
BHATT = "Bhatt et al. 2020, arXiv 2005.00631"


def _of(function: Callable[..., FloatArray], *fields: str, **settings: Any) -> PerRow:
    """Return the function of an `Explained` that takes these of its fields."""
    return lambda explained: function(*(getattr(explained, field) for field in fields), **settings)


def _seeded(function: Callable[..., FloatArray], *fields: str, **settings: Any) -> PerRow:
    """As `_of`, with the seed; `fill_value` goes by keyword."""

    def per_row(explained: Explained) -> FloatArray:
        given = {"seed": explained.seed, **settings}
        if "fill_value" in fields:
            given["fill_value"] = explained.fill_value
        return function(*(getattr(explained, field) for field in fields if field != "fill_value"), **given)

    return per_row


def _linear(metric: LinearMetric) -> dict[str, Any]:
    return {
        "per_row": _of(metric.values, "attributions", "mask"),
        "chance": _of(metric.chance, "mask"),
        "chance_variance": _of(metric.chance_variance, "mask"),
        "needs": frozenset({"mask"}),
    }


def _graded(metric: LinearMetric) -> dict[str, Any]:
    def gains(explained: Explained) -> FloatArray:
        return graded_gains(explained.mask, explained.deviation)  # type: ignore[arg-type]  # it needs both

    return {
        "per_row": lambda explained: metric.values(explained.attributions, gains(explained)),
        "chance": lambda explained: metric.chance(gains(explained)),
        "chance_variance": lambda explained: metric.chance_variance(gains(explained)),
        "needs": frozenset({"mask", "deviation"}),
    }


def _no_correlation(explained: Explained) -> FloatArray:
    return np.zeros(len(explained.attributions))


def _faithfulness_at(k: int) -> Metric:
    def per_row(explained: Explained) -> FloatArray:
        n, n_features = explained.attributions.shape
        if k >= n_features:  # there is one set at most, and no correlation
            return np.full(n, np.nan)
        return _seeded(faithfulness_at_k, *BY_FILL_VALUE, k=k)(explained)

    return Metric(
        name=f"faithfulness_at_{k}",
        description=f"correlation of attributions and effect over random sets of {k} features",
        source=BHATT,
        per_row=per_row,
        chance=_no_correlation,
        needs=NEEDS_FILL_VALUE,
        **CORRELATION,
    )


def _erasure(function: Callable[..., FloatArray]) -> dict[str, Any]:
    curve = _seeded(function, *BY_FILL_VALUE)
    return {
        "curve": curve,
        "per_row": lambda explained: mean_over_sizes(curve(explained)),
        "total": lambda explained: total_fall(explained.X, explained.score, fill_value=explained.fill_value),
        "needs": NEEDS_FILL_VALUE,
        "range": (-inf, inf),
        "source": DEYOUNG,
        "version": 2,
    }


UNIT: dict[str, Any] = {"best": 1.0, "range": (0.0, 1.0)}
CORRELATION: dict[str, Any] = {"best": 1.0, "range": (-1.0, 1.0)}
ERROR: dict[str, Any] = {"best": 0.0, "range": (0.0, inf)}
BY_SCORE = ("attributions", "X", "score")
BY_FILL_VALUE = (*BY_SCORE, "fill_value")
NEEDS_SCORE = frozenset({"X", "score"})
NEEDS_FILL_VALUE = frozenset({"X", "score", "fill_value"})

RANKING = (
    Metric(
        name="ndcg_m",
        description="discounted share of the m ground-truth features among the m top-ranked ones",
        source="Vincent et al. 2025, nDCG_k with k = m; Järvelin & Kekäläinen 2002",
        **_linear(positions.NDCG_M),
        **UNIT,
    ),
    Metric(
        name="acc_m",
        description="share of the m ground-truth features among the m top-ranked ones",
        source="Vincent et al. 2025, Acc_m",
        **_linear(positions.ACC_M),
        **UNIT,
    ),
    Metric(
        name="reciprocal_rank",
        description="one over the position of the first ground-truth feature; its mean is the MRR",
        source="Voorhees 1999",
        per_row=_of(cells.reciprocal_rank, "attributions", "mask"),
        chance=_of(cells.reciprocal_rank_chance, "mask"),
        chance_variance=_of(cells.reciprocal_rank_variance, "mask"),
        needs=frozenset({"mask"}),
        **UNIT,
    ),
    Metric(
        name="cell_average_precision",
        description="mean precision at the positions of a row's ground-truth features",
        source="McSherry & Najork 2008",
        per_row=_of(cells.cell_average_precision, "attributions", "mask"),
        chance=_of(cells.average_precision_chance, "mask"),
        chance_variance=_of(cells.average_precision_variance, "mask"),
        needs=frozenset({"mask"}),
        **UNIT,
    ),
    Metric(
        name="cell_auc_roc",
        description="how often a ground-truth feature is ranked above another feature of its row",
        source="Hanley & McNeil 1982",
        **_linear(positions.AUC_ROC),
        **UNIT,
    ),
    Metric(
        name="graded_ndcg_m",
        description="nDCG_m in which a ground-truth feature counts as far as it is from its clean value",
        source="Järvelin & Kekäläinen 2002",
        **_graded(positions.NDCG_M),
        **UNIT,
    ),
    Metric(
        name="graded_acc_m",
        description="share of the ground-truth features' total deviation that the m top-ranked features hold",
        source="Acc_m of Vincent et al. 2025 with the gains of Järvelin & Kekäläinen 2002",
        **_graded(positions.ACC_M),
        **UNIT,
    ),
)

FAITHFULNESS = (
    Metric(
        name="infidelity",
        description="squared error of attributions as a forecast of the score's fall under small noise",
        source=YEH,
        per_row=_seeded(infidelity, *BY_SCORE),
        needs=NEEDS_SCORE,
        **ERROR,
    ),
    Metric(
        name="infidelity_normalised",
        description="infidelity under small noise, the attributions's unit chosen for the best",
        source=YEH,
        per_row=_seeded(infidelity, *BY_SCORE, normalise=True),
        needs=NEEDS_SCORE,
        **ERROR,
    ),
    Metric(
        name="infidelity_subset",
        description="infidelity when a random half of the features goes to the fill value",
        source=YEH,
        per_row=_seeded(infidelity, *BY_FILL_VALUE),
        needs=NEEDS_FILL_VALUE,
        **ERROR,
    ),
    Metric(
        name="infidelity_subset_normalised",
        description="infidelity_subset, the attributions's unit chosen for the best",
        source=YEH,
        per_row=_seeded(infidelity, *BY_FILL_VALUE, normalise=True),
        needs=NEEDS_FILL_VALUE,
        **ERROR,
    ),
    *(_faithfulness_at(k) for k in SET_SIZES),
    Metric(
        name="faithfulness",
        description="correlation of attributions and effect over random sets of k features, mean over k",
        source=BHATT,
        per_row=_seeded(faithfulness, *BY_FILL_VALUE),
        curve=_seeded(faithfulness_curve, *BY_FILL_VALUE),
        chance=_no_correlation,
        needs=NEEDS_FILL_VALUE,
        **CORRELATION,
    ),
    Metric(
        name="fidelity",
        description="correlation of added attributions and effect over random sets of any size",
        source="Ribeiro et al. 2016, arXiv 1602.04938",
        per_row=_seeded(fidelity, *BY_FILL_VALUE),
        needs=NEEDS_FILL_VALUE,
        **CORRELATION,
    ),
    Metric(
        name="comprehensiveness",
        description="share of all rows' score that goes with their k top-ranked features, mean over k",
        best=inf,
        **_erasure(comprehensiveness_curve),
    ),
    Metric(
        name="sufficiency",
        description="share of all rows' score that is lost with only the k top-ranked features, mean over k",
        best=-inf,
        **_erasure(sufficiency_curve),
    ),
)

ROBUSTNESS = (
    Metric(
        name="max_sensitivity",
        description="largest relative change of the attributions in a small ball around the row",
        source=YEH,
        per_row=_seeded(max_sensitivity, "attributions", "X", "explain"),
        needs=frozenset({"X", "explain"}),
        **ERROR,
    ),
    Metric(
        name="seed_agreement",
        description="rank correlation of the attributions between random seeds of the explainer",
        source="Spearman 1904",
        per_row=_seeded(seed_agreement, "X", "explain_with_seed"),
        chance=_no_correlation,
        needs=frozenset({"X", "explain_with_seed"}),
        **CORRELATION,
    ),
    Metric(
        name="batch_agreement",
        description="rank correlation of the attributions between orders of the rows in a batch",
        source="Spearman 1904",
        per_row=_seeded(batch_agreement, "X", "explain"),
        chance=_no_correlation,
        needs=frozenset({"X", "explain"}),
        **CORRELATION,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*RANKING, *FAITHFULNESS, *ROBUSTNESS)}
