"""The noise families: draw, log-density, scale.

Draws are published data. They use only the generator methods whose bits agree over NumPy versions, and scale
and shift as operations of their own. Log-densities are not published and use NumPy freely.
"""

import math
from abc import abstractmethod
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, Field, PositiveFloat, model_validator

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


class StudentNoise(Noise):
    """Student's t of whole degrees of freedom, at least 3, with that mean and scale: heavy tails."""

    family: Literal["student"] = "student"
    degrees: int = Field(ge=3)
    mean: float
    scale: PositiveFloat

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        normal = rng.standard_normal((n, 1 + self.degrees)).T  # a draw's are side by side in the stream
        squares = np.zeros(n)
        for own in normal[1:]:
            squares += own * own
        ratio: FloatArray = normal[0] / np.sqrt(squares / self.degrees)
        return self.mean + self.scale * ratio

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return -(k + 1)/2 log(1 + z²/k) - log(scale) and the constant, with z = (values - mean) / scale."""
        z, k = (values - self.mean) / self.scale, self.degrees
        constant = math.lgamma((k + 1) / 2) - math.lgamma(k / 2) - math.log(k * math.pi) / 2
        return np.asarray(constant - math.log(self.scale) - (k + 1) / 2 * np.log1p(z**2 / k))

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        return self.mean, self.scale * math.sqrt(self.degrees / (self.degrees - 2))

    def scaled(self, factor: float) -> Self:
        """Return the distribution with mean and scale multiplied by `factor`, greater than 0."""
        return type(self)(degrees=self.degrees, mean=factor * self.mean, scale=factor * self.scale)


class ModesNoise(Noise):
    """Uniform on equally many values about each of some equidistant modes, whose mean is 0.

    The modes are `distance` apart, and values lie within half of `width`, less than `distance`, of one.
    """

    family: Literal["modes"] = "modes"
    modes: int = Field(ge=2)
    distance: PositiveFloat
    width: PositiveFloat

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.width >= self.distance:
            raise ValueError("width is not less than distance; expected modes that lie apart")
        return self

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` independent draws, (n,)."""
        position = self.modes * rng.random(n)
        mode = np.minimum(np.floor(position), self.modes - 1.0)
        centre = self.distance * (mode - (self.modes - 1) / 2)
        return centre + self.width * (position - mode - 0.5)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return -log(modes · width) within half the width of a mode."""
        last = (self.modes - 1) / 2
        mode = np.clip(np.rint(values / self.distance + last), 0, 2 * last) - last
        inside = np.abs(values - self.distance * mode) <= self.width / 2
        return np.where(inside, -math.log(self.modes * self.width), -np.inf)

    def moments(self) -> tuple[float, float]:
        """Return the expectation and the standard deviation."""
        between = self.distance**2 * (self.modes**2 - 1) / 12
        return 0.0, math.sqrt(between + self.width**2 / 12)

    def scaled(self, factor: float) -> Self:
        """Return the distribution with distance and width multiplied by `factor`, greater than 0."""
        return type(self)(modes=self.modes, distance=factor * self.distance, width=factor * self.width)


NOISES: dict[str, type[Noise]] = {
    "exponential": ExponentialNoise,
    "gamma": GammaNoise,
    "modes": ModesNoise,
    "normal": NormalNoise,
    "student": StudentNoise,
    "uniform": UniformNoise,
}


def noise(family: str) -> type[Noise]:
    """Return the noise family of that name; raise InputError for a name that is none."""
    try:
        return NOISES[family]
    except KeyError:
        raise unknown("noise family", family, NOISES) from None
