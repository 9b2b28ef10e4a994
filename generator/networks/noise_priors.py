"""From which ranges a network's noise parameters are drawn; the defaults are the paper's."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, PositiveFloat

from xadbench.datasets.common.errors import InputError
from xadbench.generator.draws import uniform

from .noise import Noise, StudentNoise, noise


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    if interval[0] > interval[1]:
        raise InputError("the range ends before it begins; expected [from, to]")
    return interval


Interval = Annotated[tuple[float, float], AfterValidator(_ordered)]
PositiveInterval = Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_ordered)]


class NoisePrior(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """One family with a range [from, to] for each of its parameters, drawn uniformly and independently."""

    family: str

    def draw(self, rng: np.random.Generator) -> Noise:
        """Return a member of the family; parameters are drawn in the order of the fields."""
        ranges = {name: getattr(self, name) for name in type(self).model_fields if name != "family"}
        return noise(self.family)(**{name: uniform(bounds, rng) for name, bounds in ranges.items()})


class UniformPrior(NoisePrior):
    """Ranges of the lower end and of the width."""

    family: Literal["uniform"] = "uniform"
    low: Interval = (0.0, 3.0)
    width: PositiveInterval = (1.0, 10.0)


class NormalPrior(NoisePrior):
    """Ranges of the mean and of the standard deviation."""

    family: Literal["normal"] = "normal"
    mean: Interval = (-1.0, 5.0)
    std: PositiveInterval = (1.0, 7.0)


class ExponentialPrior(NoisePrior):
    """Range of the scale."""

    family: Literal["exponential"] = "exponential"
    scale: PositiveInterval = (1.0, 5.0)


class GammaPrior(NoisePrior):
    """Ranges of the shape and of the scale."""

    family: Literal["gamma"] = "gamma"
    shape: PositiveInterval = (1.0, 5.0)
    scale: PositiveInterval = (1.0, 5.0)


class StudentPrior(NoisePrior):
    """The degrees of freedom, and ranges of the mean and of the scale."""

    family: Literal["student"] = "student"
    degrees: int = Field(default=3, ge=3)
    mean: Interval = (-1.0, 5.0)
    scale: PositiveInterval = (1.0, 5.0)

    def draw(self, rng: np.random.Generator) -> Noise:
        """Return a member of the family."""
        mean, scale = uniform(self.mean, rng), uniform(self.scale, rng)
        return StudentNoise(degrees=self.degrees, mean=mean, scale=scale)


AnyPrior = Annotated[
    UniformPrior | NormalPrior | ExponentialPrior | GammaPrior | StudentPrior, Field(discriminator="family")
]

PAPER_PRIORS: tuple[AnyPrior, ...] = (UniformPrior(), NormalPrior(), ExponentialPrior(), GammaPrior())
