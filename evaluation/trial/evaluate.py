"""What metrics say of explained rows: row by row, as means over a scope, and by kind of anomaly."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.scale import Scale
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import Explained, Metric, Score

from .fit import Fitted
from .scopes import RANKED, SCOPES, Measures, Scores

OF_ANOMALIES = ("anomalies", "detected")  # scopes whose every row has a kind
BY_KIND = ("ndcg_m", "acc_m")
KEPT_BY_KIND = ("n_rows", "n_informative", "chance", *BY_KIND, *(f"adjusted_{name}" for name in BY_KIND))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the metrics of a trial say of its explained rows.

    Attributes
    ----------
    rows : (r,) int
        Their numbers in the table.
    kind : (r,) int
        Their kinds of anomaly, 0 where normal, by the index of `kinds`.
    kinds
        All kinds of the table that a row has, by index.
    mask : (r, d) bool
        The ground-truth features; None where the table does not name them.
    scopes
        For each of SCOPES which rows are in it, (r,) bool.
    per_row
        For each metric its values (r,), and where it has them `adjusted_`, `chance_` and `variance`.
    curves
        For each metric that is an area its values (r, s) for each of `set_sizes(d)`.
    """

    rows: IntArray
    kind: IntArray
    kinds: Mapping[int, str]
    mask: BoolArray | None
    scopes: Mapping[str, BoolArray]
    per_row: Mapping[str, Mapping[str, FloatArray]]
    curves: Mapping[str, FloatArray]

    def scores(self) -> dict[str, Scores]:
        """Return the mean scores of each scope, as `score_attributions` does."""
        return {scope: self._means(self.per_row, self.scopes[scope]) for scope in SCOPES}

    def by_kind(self) -> dict[str, dict[str, Scores]]:
        """Return KEPT_BY_KIND of each kind of anomaly in the table, for the scopes OF_ANOMALIES."""
        return {scope: self._kinds_of(self.scopes[scope]) for scope in OF_ANOMALIES}

    def _kinds_of(self, chosen: BoolArray) -> dict[str, Scores]:
        evaluating = {metric: self.per_row[metric] for metric in BY_KIND}
        means = {name: self._means(evaluating, chosen & (self.kind == i)) for i, name in self.kinds.items()}
        return {name: {score: of[score] for score in KEPT_BY_KIND} for name, of in means.items()}

    @cached_property
    def _chance(self) -> FloatArray:
        return np.full(len(self.rows), np.nan) if self.mask is None else metrics.chance_level(self.mask)

    def _means(self, per_row: Mapping[str, Mapping[str, FloatArray]], chosen: BoolArray) -> Scores:
        """Return sizes, and each part's mean over those chosen rows where it is defined."""
        n_rows = int(chosen.sum())
        scores: Scores = {
            "n_rows": n_rows,
            "n_informative": int((chosen & (self._chance < 1)).sum()),
            "chance": _mean(self._chance[chosen]),
        }
        names = [(metric, part) for metric, parts in per_row.items() for part in parts]
        # All parts at once, since a trial has dozens of them for each scope and kind.
        values = np.compress(chosen, [per_row[metric][part] for metric, part in names], axis=1)
        n_defined = (~np.isnan(values)).sum(axis=1)
        of_all = values.sum(axis=1) / max(n_rows, 1)
        for i, (metric, part) in enumerate(names):
            n = int(n_defined[i])
            mean = float(of_all[i]) if n == n_rows > 0 else _mean(values[i])
            if part == "variance":
                scores[f"chance_std_{metric}"] = math.sqrt(mean / max(n, 1))
            else:
                scores[f"{part}{metric}"] = mean
            if not part:
                scores[f"n_undefined_{metric}"] = n_rows - n
        return scores

    def row_scores(self) -> dict[str, list[float]]:
        """Return the adjusted nDCG_m of each anomaly, in the table's order, and how far it is `detected`.

        Of those anomalies on which the metric can tell an explainer from chance: which these are depends on
        the ground truth alone, so that the rows of two runs on one table are pairs. Rounded to 1e-6.
        """
        adjusted = self.per_row[BY_KIND[0]]["adjusted_"]
        chosen = (self.scopes["anomalies"] > 0) & ~np.isnan(adjusted)
        if not chosen.any():
            return {}
        return {
            f"adjusted_{BY_KIND[0]}": adjusted[chosen].round(6).tolist(),
            "detected": np.asarray(self.scopes["detected"][chosen], dtype=float).round(6).tolist(),
        }

    def mean_curves(self) -> dict[str, dict[str, list[float]]]:
        """Return each curve's mean over the rows of a scope, size by size, where it is defined."""
        return {
            scope: {name: [_mean(at_k) for at_k in curve[chosen].T] for name, curve in self.curves.items()}
            for scope, chosen in self.scopes.items()
        }


def evaluate(
    attributions: FloatArray,
    rows: IntArray,
    fitted: Fitted,
    measures: Measures = RANKED,
    *,
    seed: int = 0,
    explain: Callable[[FloatArray], FloatArray] | None = None,
    explain_with_seed: Callable[[int, FloatArray], FloatArray] | None = None,
) -> Evaluation:
    """Return what the metrics say of attributions; parameters are those of `score_attributions`."""
    table = fitted.table
    mask: BoolArray | None = None if table.mask is None else table.mask[rows]
    X = table.X[rows]
    score = _score_of(fitted)
    explained = Explained(
        attributions,
        mask=mask,
        deviation=_deviation(table, rows),
        X=X,
        score=score,
        fill_value=measures.fill_value_of(X, fitted.background, score, seed),
        explain=explain,
        explain_with_seed=explain_with_seed,
        seed=seed,
    )
    is_flagged: BoolArray = np.isin(rows, fitted.flagged)
    is_anomaly: BoolArray = table.y[rows]
    known = [metric for metric in measures.chosen.values() if metric.is_known(explained)]
    curves = {metric.name: metric.curve(explained) for metric in known if metric.curve}
    blind = _BLIND.setdefault(fitted, {}).setdefault(rows.tobytes(), {})
    return Evaluation(
        rows=rows,
        kind=table.kind[rows].astype(np.int64),
        kinds={int(i): table.kinds[i] for i in np.unique(table.kind[table.y])},
        mask=mask,
        scopes={"anomalies": is_anomaly, "detected": is_anomaly & is_flagged, "flagged": is_flagged},
        per_row={
            metric.name: _per_row(metric, explained, is_anomaly, curves.get(metric.name), blind)
            for metric in measures.chosen.values()
        },
        curves=curves,
    )


# A blind guess's mean and variance (r,), by the rows' bytes and the metric: no explainer changes them.
_BLIND: WeakKeyDictionary[Fitted, dict[bytes, dict[str, tuple[FloatArray, FloatArray]]]] = WeakKeyDictionary()


def score_attributions(
    attributions: FloatArray,
    rows: IntArray,
    fitted: Fitted,
    measures: Measures = RANKED,
    **how: Any,
) -> dict[str, Scores]:
    """Return the mean scores of each scope.

    Parameters
    ----------
    attributions : (r, d) float64
    rows : (r,) int
        The table's rows they explain: at least all anomalies and all flagged rows.
    fitted
        The detector explained, and the table; without a mask, scores that need it are NaN.
    measures
        The metrics.
    **how
        `seed` names the random draws of the metrics. `explain` and `explain_with_seed` are the explainer, as
        `Explained` has it; robustness is not defined without.

    Returns
    -------
    dict
        For each scope: `n_rows`; `chance`, the mean chance level of nDCG_m and Acc_m; `n_informative`, the
        rows with fewer ground-truth features than features, or none; each metric's mean over the rows where
        it is defined, and `n_undefined_<metric>`, the number of the others. NaN where a scope has no row.

        For metrics that use the ground truth also `adjusted_<metric>`, the chance-adjusted mean over the
        rows on which they can tell an explainer from chance; `chance_<metric>`; and `chance_std_<metric>`,
        the standard deviation of a blind guess's mean. A false positive counts 0 in all of these.
    """
    return evaluate(attributions, rows, fitted, measures, **how).scores()


def _score_of(fitted: Fitted) -> Score:
    return lambda X: np.asarray(fitted.detector.decision_function(X), dtype=np.float64)


def _deviation(table: LabelledTable, rows: IntArray) -> FloatArray | None:
    """Return |x - clean| (r, d) in standard deviations of the features; a constant one keeps its unit."""
    if table.clean is None:
        return None
    deviation: FloatArray = np.abs(table.X[rows] - table.clean[rows]) / Scale.of(table.X).deviation
    return deviation


def _per_row(
    metric: Metric,
    explained: Explained,
    is_anomaly: BoolArray,
    curve: FloatArray | None,
    blind: dict[str, tuple[FloatArray, FloatArray]],
) -> dict[str, FloatArray]:
    """Return a metric's values, adjusted values, chance and its variance (r,), as far as it has them."""
    values = metric.values(explained) if curve is None else metrics.mean_over_sizes(curve)
    if not metric.needs_ground_truth:
        return {"": values}
    if not (metric.is_known(explained) and metric.chance and metric.chance_variance):
        return {"": values, "adjusted_": metric.adjusted(values, explained)}
    if metric.name not in blind:
        blind[metric.name] = metric.chance(explained), metric.chance_variance(explained)
    chance, variance = blind[metric.name]
    adjusted = metric.adjusted(values, explained, chance)
    parts = {"": values, "adjusted_": adjusted, "chance_": chance, "variance": variance}
    return {part: np.where(is_anomaly, of_rows, 0.0) for part, of_rows in parts.items()}


def _mean(values: FloatArray) -> float:
    """Return the mean of what is defined, NaN of nothing."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
