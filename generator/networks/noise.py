"""The four noise families: draw, log-density, scale.

Draws are published data. They use only the generator methods whose bits agree over NumPy versions, and scale
and shift as operations of their own. Log-densities are not published and use NumPy freely.
"""

import math
from abc import abstractmethod
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, PositiveFloat

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import unknown


class Noise(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A distribution of a node's own part; subclasses are the families."""

    family: str

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,); the first k of n draws are those of k draws."""

    @abstractmethod
    def log_density(self, values: FloatArray) -> FloatArray:
        """Return the natural log of the density at `values`, same shape; -inf outside the support."""

    @abstractmethod
    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""

    def scaled(self, factor: float) -> Self:
        """Return the distribution with every parameter multiplied by `factor`, greater than 0."""
        parameters = self.model_dump(exclude={"family"})
        return type(self)(**{name: factor * value for name, value in parameters.items()})


class UniformNoise(Noise):
    """Uniform on [low, low + width]."""

    family: Literal["uniform"] = "uniform"
    low: float
    width: PositiveFloat

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        scaled = self.width * rng.random(n)
        return self.low + scaled

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return -log(width) within the bounds, both included."""
        inside = (values >= self.low) & (values <= self.low + self.width)
        return np.where(inside, -math.log(self.width), -np.inf)

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        return self.low + self.width / 2, self.width / math.sqrt(12)


class NormalNoise(Noise):
    """Normal with that mean and standard deviation."""

    family: Literal["normal"] = "normal"
    mean: float
    std: PositiveFloat

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        scaled = self.std * rng.standard_normal(n)
        return self.mean + scaled

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return -z²/2 - log(std) - log(2π)/2 with z = (values - mean) / std."""
        z = (values - self.mean) / self.std
        return np.asarray(-(z**2) / 2 - math.log(self.std) - math.log(2 * math.pi) / 2)

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        return self.mean, self.std


class ExponentialNoise(Noise):
    """Exponential with that scale, the reciprocal of the rate."""

    family: Literal["exponential"] = "exponential"
    scale: PositiveFloat

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        return self.scale * rng.standard_exponential(n)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return -values/scale - log(scale) from 0 on."""
        return np.where(values >= 0, -values / self.scale - math.log(self.scale), -np.inf)

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        return self.scale, self.scale


class GammaNoise(Noise):
    """Gamma with that shape and scale."""

    family: Literal["gamma"] = "gamma"
    shape: PositiveFloat
    scale: PositiveFloat

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        return self.scale * rng.standard_gamma(self.shape, n)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return (shape - 1) log(v) - v - log Γ(shape) - log(scale) with v = values/scale, above 0."""
        inside = values > 0
        v = np.where(inside, values, 1.0) / self.scale
        density = (self.shape - 1) * np.log(v) - v - math.lgamma(self.shape) - math.log(self.scale)
        return np.where(inside, density, -np.inf)

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        return self.shape * self.scale, math.sqrt(self.shape) * self.scale


NOISES: dict[str, type[Noise]] = {
    "exponential": ExponentialNoise,
    "gamma": GammaNoise,
    "normal": NormalNoise,
    "uniform": UniformNoise,
}


def noise(family: str) -> type[Noise]:
    """Return the noise family of that name; raise InputError for a name that is none."""
    try:
        return NOISES[family]
    except KeyError:
        raise unknown("noise family", family, NOISES) from None
