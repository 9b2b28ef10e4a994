"""The scores of attributions: which rows count, and what is averaged over them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.errors import find
from xadbench.evaluation import metrics
from xadbench.evaluation.detectors import Detector
from xadbench.evaluation.metrics import Explained, Metric, Score

SCOPES = ("anomalies", "detected", "flagged")
HEADLINE_SCOPE = "detected"
Scores = dict[str, float | int]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A detector fitted to a prepared table, and what it says of the table's rows."""

    detector: Detector
    table: LabelledTable
    scores: FloatArray
    seconds: float

    @property
    def flagged(self) -> IntArray:
        """The n highest-scored rows, n the true number of anomalies; (n,) row numbers, best first."""
        order: IntArray = np.argsort(-self.scores, kind="stable")
        return order[: int(self.table.y.sum())]

    def rows_to_explain(self) -> IntArray:
        """Return the rows that some scope needs: all anomalies and all flagged rows."""
        return np.union1d(np.flatnonzero(self.table.y), self.flagged)

    def quality(self) -> dict[str, float]:
        """Return the detector's AUC-ROC, average precision and F1 at n."""
        return {name: function(self.scores, self.table.y) for name, function in metrics.DETECTION.items()}


@dataclass(frozen=True)
class Measures:
    """The metrics of a trial: those that judge by the culprits, and others by name, with their baseline.

    Raises
    ------
    InputError
        For an unknown metric or baseline.
    """

    names: tuple[str, ...] = ()
    baseline: str = "mean"

    def __post_init__(self) -> None:
        for name in self.names:
            find("metric", name, metrics.METRICS)
        find("baseline", self.baseline, metrics.BASELINES)

    @cached_property
    def chosen(self) -> dict[str, Metric]:
        """The metrics by name, in the registry's order."""
        always = {metric.name for metric in metrics.RANKING}
        return {name: m for name, m in metrics.METRICS.items() if name in {*always, *self.names}}

    def baseline_of(
        self, X: FloatArray, background: FloatArray, score: Score, seed: int
    ) -> FloatArray | None:
        """Return the baseline of rows, or None if no metric needs it."""
        if not self._needs_baseline:
            return None
        return metrics.make_baseline(self.baseline, X, background, score, seed=seed)

    @property
    def _needs_baseline(self) -> bool:
        return any("baseline" in metric.needs for metric in self.chosen.values())

    def identity(self) -> dict[str, Any]:
        """Return, as JSON values, all of this that results depend on."""
        versions = {name: metric.version for name, metric in self.chosen.items()}
        if not self._needs_baseline:
            return versions
        return versions | {"baseline": [self.baseline, metrics.BASELINES[self.baseline].version]}


RANKED = Measures()


def score_attributions(
    attributions: FloatArray,
    rows: IntArray,
    fitted: Fitted,
    measures: Measures = RANKED,
    *,
    seed: int = 0,
    explain: Callable[[FloatArray], FloatArray] | None = None,
    explain_with_seed: Callable[[int, FloatArray], FloatArray] | None = None,
) -> dict[str, Scores]:
    """Return the mean scores of each scope.

    Parameters
    ----------
    attributions : (r, d) float64
    rows : (r,) int
        The table's rows they explain: at least all anomalies and all flagged rows.
    fitted
        The detector explained, and the table, with a mask.
    measures
        The metrics.
    seed
        Names the random draws of the metrics.
    explain, explain_with_seed
        The explainer, as `Explained` has it; robustness is not defined without.

    Returns
    -------
    dict
        For each scope: `n_rows`; `chance`, the mean chance level of nDCG_m and Acc_m; `n_informative`, the
        rows with fewer culprits than features, or none; each metric's mean over the rows where it is defined,
        and `n_undefined_<metric>`, the number of the others. NaN where a scope has no row.

        For metrics that judge by the culprits also `adjusted_<metric>`, the chance-adjusted mean over the
        rows on which they can tell an explainer from chance; `chance_<metric>`; and `chance_std_<metric>`,
        the standard deviation of a blind guess's mean. A false positive counts 0 in all of these.
    """
    mask: BoolArray = fitted.table.mask[rows]  # type: ignore[index]  # only called on tables with a mask
    X = fitted.table.X[rows]
    score = _score_of(fitted.detector)
    explained = Explained(
        attributions,
        mask=mask,
        deviation=_deviation(fitted.table, rows),
        X=X,
        score=score,
        baseline=measures.baseline_of(X, fitted.table.X, score, seed),
        explain=explain,
        explain_with_seed=explain_with_seed,
        seed=seed,
    )
    is_flagged: BoolArray = np.isin(rows, fitted.flagged)
    is_anomaly = np.count_nonzero(mask, axis=1) > 0
    chosen = {"anomalies": is_anomaly, "detected": is_anomaly & is_flagged, "flagged": is_flagged}
    scores = {scope: _sizes(mask, chosen[scope]) for scope in SCOPES}
    for metric in measures.chosen.values():
        per_row = _per_row(metric, explained, is_anomaly)
        for scope in SCOPES:
            scores[scope] |= _means(metric, per_row, chosen[scope])
    return scores


def _score_of(detector: Detector) -> Score:
    return lambda X: np.asarray(detector.decision_function(X), dtype=np.float64)


def _deviation(table: LabelledTable, rows: IntArray) -> FloatArray | None:
    """Return |x - clean| (r, d) in standard deviations of the features; a constant one keeps its unit."""
    if table.clean is None:
        return None
    std = table.X.std(axis=0)
    deviation: FloatArray = np.abs(table.X[rows] - table.clean[rows]) / np.where(std > 0, std, 1)
    return deviation


def _sizes(mask: BoolArray, chosen: BoolArray) -> Scores:
    chance = metrics.chance_level(mask)
    return {
        "n_rows": int(chosen.sum()),
        "n_informative": int((chosen & (chance < 1)).sum()),
        "chance": _mean(chance[chosen]),
    }


def _per_row(metric: Metric, explained: Explained, is_anomaly: BoolArray) -> dict[str, FloatArray]:
    """Return a metric's values, adjusted values, chance and its variance (r,), as far as it has them."""
    values = metric.values(explained)
    if not metric.judges_by_culprits:
        return {"": values}
    parts = {"": values, "adjusted_": metric.adjusted(values, explained)}
    if metric.is_known(explained) and metric.chance and metric.chance_variance:
        parts |= {"chance_": metric.chance(explained), "variance": metric.chance_variance(explained)}
        parts = {part: np.where(is_anomaly, of_rows, 0.0) for part, of_rows in parts.items()}
    return parts


def _means(metric: Metric, per_row: dict[str, FloatArray], chosen: BoolArray) -> Scores:
    kept = {part: of_rows[chosen] for part, of_rows in per_row.items()}
    kept = {part: of_rows[~np.isnan(of_rows)] for part, of_rows in kept.items()}
    variance = kept.pop("variance", None)
    means: Scores = {f"{part}{metric.name}": _mean(of_rows) for part, of_rows in kept.items()}
    means[f"n_undefined_{metric.name}"] = int(chosen.sum()) - len(kept[""])
    if variance is not None:
        means[f"chance_std_{metric.name}"] = float(np.sqrt(_mean(variance) / max(len(variance), 1)))
    return means


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
