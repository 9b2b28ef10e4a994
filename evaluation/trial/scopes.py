"""Which rows of a trial count, and the metrics that score them."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import check_all, find
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import Metric, Score

SCOPES = ("anomalies", "detected", "flagged")
HEADLINE_SCOPE = "detected"
Scores = dict[str, float | int]


@dataclass(frozen=True)
class Measures:
    """The metrics of a trial: those that use the ground truth, and others by name, with their fill value.

    Raises
    ------
    InputError
        For an unknown metric or fill value.
    """

    names: tuple[str, ...] = ()
    fill_value: str = "mean"

    def __post_init__(self) -> None:
        check_all(
            [
                *(partial(find, "metric", name, metrics.METRICS) for name in self.names),
                partial(find, "fill_value", self.fill_value, metrics.FILL_VALUES),
            ]
        )

    @cached_property
    def chosen(self) -> dict[str, Metric]:
        """The metrics by name, in the registry's order."""
        always = {metric.name for metric in metrics.RANKING}
        return {name: m for name, m in metrics.METRICS.items() if name in {*always, *self.names}}

    def fill_value_of(
        self, X: FloatArray, background: FloatArray, score: Score, seed: int
    ) -> FloatArray | None:
        """Return the fill value of rows, or None if no metric needs it."""
        if not self._needs_fill_value:
            return None
        return metrics.make_fill_value(self.fill_value, X, background, score, seed=seed)

    @property
    def _needs_fill_value(self) -> bool:
        return any("fill_value" in metric.needs for metric in self.chosen.values())

    def identity(self) -> dict[str, Any]:
        """Return, as JSON values, all of this that results depend on."""
        versions = {name: metric.version for name, metric in self.chosen.items()}
        if not self._needs_fill_value:
            return versions
        return versions | {"fill_value": [self.fill_value, metrics.FILL_VALUES[self.fill_value].version]}


RANKED = Measures()
