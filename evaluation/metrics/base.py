"""What a metric is: a function of one value per row, with what a reader must know to use it."""

from collections.abc import Callable
from dataclasses import dataclass

from xadbench.datasets.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class Metric:
    """A metric that judges each row's attributions by its culprits.

    Parameters
    ----------
    name
        Its key in the registry.
    description
        One line for lists and reports.
    per_row
        Function of attributions (n, d) and mask (n, d); its values (n,) are NaN where it is not defined.
    chance
        Function of mask (n, d): the value (n,) that attributions without any knowledge expect.
    best
        The value of a perfect attribution: the end of `range` that is to be wished for.
    range
        Smallest and largest possible value.
    source
        Where the definition comes from.
    version
        Raised when values change.
    """

    name: str
    description: str
    per_row: Callable[[FloatArray, BoolArray], FloatArray]
    chance: Callable[[BoolArray], FloatArray]
    best: float
    range: tuple[float, float]
    source: str
    version: int = 1

    @property
    def higher_is_better(self) -> bool:
        """Whether the best value is the largest one."""
        return self.best == self.range[1]
