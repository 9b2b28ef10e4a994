"""What a metric is: a function of one value per row, with what a reader must know to use it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray

from .perturbed import Score


@dataclass(frozen=True, eq=False)
class Explained:
    """Attributions, and what metrics may ask to evaluate them by; None where it is not known.

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible.
    mask : (n, d) bool
        The ground truth.
    deviation : (n, d) float64
        How far each value is from its clean twin, ``|x - clean|``, in standard deviations of the feature.
    X : (n, d) float64
        The rows explained.
    score
        The detector's score: rows (m, d) to values (m,).
    fill_value : (d,) or (n, d) float64
        The values that stand for "not there"; see `FILL_VALUES`.
    explain
        The explainer, fitted: rows (m, d) to attributions (m, d).
    explain_with_seed
        The explainer fitted again with a seed: seed and rows (m, d) to attributions (m, d).
    seed
        Names the random draws of a metric.
    """

    attributions: FloatArray
    mask: BoolArray | None = None
    deviation: FloatArray | None = None
    X: FloatArray | None = None
    score: Score | None = None
    fill_value: FloatArray | None = None
    explain: Callable[[FloatArray], FloatArray] | None = None
    explain_with_seed: Callable[[int, FloatArray], FloatArray] | None = None
    seed: int = 0


PerRow = Callable[..., FloatArray]


def mean_over_sizes(curve: FloatArray) -> FloatArray:
    """Return each row's mean (n,) over the sizes where its curve (n, s) is defined; NaN where nowhere."""
    n_defined = np.isfinite(curve).sum(axis=1)
    area: FloatArray = np.nansum(curve, axis=1) / np.where(n_defined > 0, n_defined, np.nan)
    return area


@dataclass(frozen=True)
class Metric:
    """A metric that evaluates each row's attributions.

    Parameters
    ----------
    name
        Its key in the registry.
    description
        One line for lists and reports.
    per_row
        Function of an `Explained` that has what the metric `needs`: values (n,), NaN where not defined.
    needs
        Fields of `Explained`, beside the attributions. A metric that needs the mask use the ground truth.
    best
        The value of a perfect attribution: the end of `range` that is to be wished for.
    range
        Smallest and largest possible value.
    source
        Where the definition comes from.
    chance
        Function of an `Explained`: the value (n,) that a blind guess expects, a uniformly random order of the
        attributions. None where it has no closed form; the explainer `random` then shows it.
    chance_variance
        As `chance`, the variance of a blind guess's value.
    curve
        Function of an `Explained`: values (n, s), one for each of `set_sizes(d)`, whose `mean_over_sizes` is
        what `per_row` returns. None for a metric that is no area.
    total
        Function of an `Explained`: what each row's value is a part of (n,), NaN where the row does not count.
        The metric is then one ratio of sums over rows, see `pooled_ratio`. None for a mean over rows.
    version
        Raised when values change.
    """

    name: str
    description: str
    per_row: PerRow
    needs: frozenset[str]
    best: float
    range: tuple[float, float]
    source: str
    chance: PerRow | None = None
    chance_variance: PerRow | None = None
    curve: PerRow | None = None
    total: PerRow | None = None
    version: int = 1

    @property
    def higher_is_better(self) -> bool:
        """Whether the best value is the largest one."""
        return self.best == self.range[1]

    @property
    def needs_ground_truth(self) -> bool:
        """Whether a row without ground-truth features, such as a false positive, has no value."""
        return "mask" in self.needs

    def values(self, explained: Explained) -> FloatArray:
        """Return each row's value (n,): NaN where not defined, or where a field that it needs is None."""
        if not self.is_known(explained):
            return np.full(len(explained.attributions), np.nan)
        return self.per_row(explained)

    def is_known(self, explained: Explained) -> bool:
        """Whether all that the metric needs is there."""
        return all(getattr(explained, need) is not None for need in self.needs)

    def adjusted(
        self, values: FloatArray, explained: Explained, chance: FloatArray | None = None
    ) -> FloatArray:
        """Return values adjusted for chance, (v - chance) / (best - chance): 0 at chance, 1 at best.

        NaN where there is no chance level, and where chance is as good as the best. `chance` is what
        `self.chance` returns, where that is known already.
        """
        if self.chance is None or not self.is_known(explained):
            return np.full(len(values), np.nan)
        chance = self.chance(explained) if chance is None else chance
        # What is left to win; a rounding error of it is nothing.
        room = np.where(np.abs(self.best - chance) > 1e-12, self.best - chance, np.nan)
        return (values - chance) / room
