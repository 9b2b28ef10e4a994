"""What a node takes from its parents: weighted terms of one parent, or of two.

Values are published data: every function is a chain of elementwise operations that IEEE 754 rounds exactly.
"""

from collections.abc import Callable, Mapping
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, model_validator

from xadbench.datasets.common.arrays import FloatArray

Function = Literal["linear", "saturating", "absolute", "periodic", "product", "wrapped"]
FUNCTIONS: dict[Function, Callable[..., FloatArray]] = {
    "linear": lambda x: x,
    "saturating": lambda x: x / (1.0 + np.abs(x)),
    "absolute": np.abs,
    "periodic": lambda x: 2.0 * np.abs(_wrapped(x)) - 1.0,
    "product": lambda x, y: x * y,
    "wrapped": lambda x, y: _wrapped(x + y),
}
# The functions of two parents, each with the one that stands in where there is one parent only.
OF_ONE: dict[Function, Function] = {"product": "linear", "wrapped": "periodic"}


def _wrapped(x: FloatArray) -> FloatArray:
    """Return x less the nearest even number: in [-1, 1)."""
    return x - 2.0 * np.floor((x + 1.0) / 2.0)


class Term(BaseModel, frozen=True, extra="forbid"):
    """One summand of a node's value: weight · function(parents).

    Parameters
    ----------
    parents
        One node; two different ones for "product" and "wrapped".
    function
        "linear": x; "saturating": x / (1 + |x|); "absolute": |x|; "periodic": the triangle wave of period 2
        from -1 at 0 to 1 at ±1; "product": x·y; "wrapped": x + y less the nearest even number, in [-1, 1). Of
        x and y uniform on [-1, 1) and independent, the wrapped sum is uniform too, and independent of each.
    weight
        Any finite number.

    Examples
    --------
    >>> Term(parents=("a", "b"), function="product", weight=0.5).value({"a": 2.0, "b": 3.0})
    3.0
    """

    parents: tuple[str, ...] = Field(min_length=1, max_length=2)
    function: Function = "linear"
    weight: FiniteFloat = 1.0

    @model_validator(mode="after")
    def _one_or_two_parents(self) -> Self:
        wanted = 2 if self.function in OF_ONE else 1
        if len(set(self.parents)) != wanted or len(self.parents) != wanted:
            raise ValueError(f"function {self.function!r} takes {wanted} different parent(s)")
        return self

    def value(self, columns: Mapping[str, FloatArray]) -> FloatArray:
        """Return the summand, elementwise over its parents' `columns`, whose shapes broadcast."""
        arguments = (columns[parent] for parent in self.parents)
        return self.weight * FUNCTIONS[self.function](*arguments)
