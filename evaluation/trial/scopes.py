"""Which rows of a trial count, and the metrics that score them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import find
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import Metric, Score

SCOPES = ("anomalies", "detected", "flagged")
HEADLINE_SCOPE = "detected"
Scores = dict[str, float | int]


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
