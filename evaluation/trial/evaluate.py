"""What metrics say of explained rows: row by row, as means over a scope, and by kind of anomaly."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.values import aligned
from xadbench.datasets.scale import Scale
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import Explained, Metric, Score

from .fit import Fitted
from .scopes import RANKED, SCOPES, Measures, Scores

OF_ANOMALIES = ("anomalies", "detected")  # scopes whose every row has a kind
BY_KIND = ("ndcg_m", "acc_m")
TOTAL = "total"  # the part of a metric that is one ratio of sums over rows
DECIMALS = 9  # of an expected number of rows
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
        For each of SCOPES the weight of each row (r,), in [0, 1]: the probability that it is in the scope
        under a random order of tied detector scores.
    per_row
        For each metric its values (r,), and where it has them `adjusted_`, `chance_` and `variance`, or
        `total`.
    curves
        For each metric that is an area its values (r, s) for each of `set_sizes(d)`.
    distinct : (r,) int
        The same number for equal rows, which are no independent evidence; in the order of their values.
    """

    rows: IntArray
    kind: IntArray
    kinds: Mapping[int, str]
    mask: BoolArray | None
    scopes: Mapping[str, FloatArray]
    per_row: Mapping[str, Mapping[str, FloatArray]]
    curves: Mapping[str, FloatArray]
    distinct: IntArray

    def scores(self) -> dict[str, Scores]:
        """Return the mean scores of each scope, as `score_attributions` does."""
        return {scope: self._means(self.per_row, self.scopes[scope]) for scope in SCOPES}

    def by_kind(self) -> dict[str, dict[str, Scores]]:
        """Return KEPT_BY_KIND of each kind of anomaly in the table, for the scopes OF_ANOMALIES."""
        return {scope: self._kinds_of(self.scopes[scope]) for scope in OF_ANOMALIES}

    def _kinds_of(self, weights: FloatArray) -> dict[str, Scores]:
        evaluating = {metric: self.per_row[metric] for metric in BY_KIND}
        means = {name: self._means(evaluating, weights * (self.kind == i)) for i, name in self.kinds.items()}
        return {name: {score: of[score] for score in KEPT_BY_KIND} for name, of in means.items()}

    @cached_property
    def _chance(self) -> FloatArray:
        return np.full(len(self.rows), np.nan) if self.mask is None else metrics.chance_level(self.mask)

    def _means(self, per_row: Mapping[str, Mapping[str, FloatArray]], weights: FloatArray) -> Scores:
        """Return sizes, and each part's weighted mean over the rows where it is defined."""
        pooled = {metric: parts for metric, parts in per_row.items() if TOTAL in parts}
        ratios = [self._pooled(metric, parts, weights) for metric, parts in pooled.items()]
        chosen = weights > 0
        # The weight of all anomalies equal to each row; false positives have no variance.
        together = np.bincount(self.distinct, weights * (self.kind > 0))[self.distinct][chosen]
        weights, chance = weights[chosen], self._chance[chosen]
        scores: Scores = {
            "n_rows": _expected(weights),
            "n_informative": _expected(weights[chance < 1]),
            "chance": _mean(chance, weights),
        }
        names = [(metric, part) for metric, of in per_row.items() if metric not in pooled for part in of]
        # All parts at once, since a trial has dozens of them for each scope and kind.
        values = np.compress(chosen, [per_row[metric][part] for metric, part in names], axis=1)
        # Of w v summed: w w' Cov(v, v'), 0 for distinct rows. Equal ones have the same attributions and so,
        # of the same ground truth, the same value; of another, their covariance is taken at its bound.
        values[[part == "variance" for _, part in names]] *= together
        is_defined = ~np.isnan(values)
        of_all = (values * weights).sum(axis=1) / (weights.sum() or np.nan)
        for i, (metric, part) in enumerate(names):
            mean = float(of_all[i]) if is_defined[i].all() else _mean(values[i], weights)
            if part == "variance":
                scores[f"chance_std_{metric}"] = math.sqrt(mean / (weights[is_defined[i]].sum() or np.nan))
            else:
                scores[f"{part}{metric}"] = mean
            if not part:
                scores[f"n_undefined_{metric}"] = _expected(weights[~is_defined[i]])
        return scores | {name: value for of in ratios for name, value in of.items()}

    def _pooled(self, metric: str, parts: Mapping[str, FloatArray], weights: FloatArray) -> Scores:
        """Return a ratio of sums over rows with its interval, and the number of rows without a value."""
        values, totals = parts[""], parts[TOTAL]
        is_defined = ~np.isnan(values + totals)
        chosen = is_defined & (weights > 0)
        _, unit = np.unique(self.distinct[chosen], return_inverse=True)
        of_units = (np.bincount(unit, (of * weights)[chosen]).astype(float) for of in (values, totals))
        low, high = metrics.pooled_interval(*of_units)
        return {
            metric: metrics.pooled_ratio(values, totals, weights),
            f"low_{metric}": low,
            f"high_{metric}": high,
            f"n_undefined_{metric}": _expected(weights[~is_defined]),
        }

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
        """Return each curve over the rows of a scope, size by size, where it is defined, as of `scores`."""
        return {
            scope: {name: [*self._curve(name, weights)] for name in self.curves}
            for scope, weights in self.scopes.items()
        }

    def _curve(self, metric: str, weights: FloatArray) -> Iterator[float]:
        chosen, totals = weights > 0, self.per_row[metric].get(TOTAL)
        for at_k in self.curves[metric].T:
            if totals is None:
                yield _mean(at_k[chosen], weights[chosen])
            else:
                yield metrics.pooled_ratio(at_k, totals, weights)


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
    flagged = fitted.flag_probability[rows]
    is_anomaly: BoolArray = table.y[rows]
    known = [metric for metric in measures.chosen.values() if metric.is_known(explained)]
    curves = {metric.name: metric.curve(explained) for metric in known if metric.curve}
    blind = _BLIND.setdefault(fitted, {}).setdefault(rows.tobytes(), {})
    return Evaluation(
        rows=rows,
        kind=table.kind[rows].astype(np.int64),
        kinds={int(i): table.kinds[i] for i in np.unique(table.kind[table.y])},
        mask=mask,
        scopes={
            "anomalies": is_anomaly.astype(np.float64),
            "detected": is_anomaly * flagged,
            "flagged": flagged,
        },
        per_row={
            metric.name: _per_row(metric, explained, is_anomaly, curves.get(metric.name), blind)
            for metric in measures.chosen.values()
        },
        curves=curves,
        distinct=np.unique(X, axis=0, return_inverse=True)[1].ravel(),  # NumPy 2.0 has it as (r, 1)
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
        The table's rows they explain: at least those of `Fitted.rows_to_explain`.
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
        Where detector scores are tied at the cut of a scope, rows count by the probability that they are in
        it under a random order of the ties: means are weighted, and numbers of rows are expected ones.

        A metric with a `total` is one ratio of sums over rows, with `low_<metric>` and `high_<metric>`, its
        95 % interval from a bootstrap over distinct rows.

        For metrics that use the ground truth also `adjusted_<metric>`, the chance-adjusted mean over the
        rows on which they can tell an explainer from chance; `chance_<metric>`; and `chance_std_<metric>`,
        the standard deviation of a blind guess's mean: a guess for each distinct row, since explainers give
        equal rows equal attributions. A false positive counts 0 in all of these.
    """
    return evaluate(attributions, rows, fitted, measures, **how).scores()


def _score_of(fitted: Fitted) -> Score:
    return lambda X: aligned(fitted.detector.decision_function(X), "scores").astype(np.float64)


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
    if metric.total:
        known = metric.is_known(explained)
        return {"": values, TOTAL: metric.total(explained) if known else np.full(len(values), np.nan)}
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


def _mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted mean of what is defined, NaN of nothing."""
    is_defined = ~np.isnan(values)
    values, weights = values[is_defined], weights[is_defined]
    return float((values * weights).sum() / weights.sum()) if len(values) else float("nan")


def _expected(weights: FloatArray) -> float:
    """Return an expected number of rows, without the rounding of a sum of tied rows' weights."""
    return round(float(weights.sum()), DECIMALS)
