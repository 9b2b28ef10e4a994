"""Which share of the rows DSIL keeps after each of its iterations."""

from dataclasses import dataclass
from math import cos, exp, pi
from typing import Protocol

from xadbench.datasets.common.errors import InputError, find


class Retention(Protocol):
    """A schedule of retention ratios."""

    def ratio(self, t: int, iterations: int) -> float:
        """Return the share of rows, in (0, 1), to keep after iteration t = 0..iterations-1."""


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise InputError(f"{name} is {share}, expected a share between 0 and 1, both excluded")


@dataclass(frozen=True)
class Fixed:
    """The same share each time: r. `InputError` unless it is in (0, 1)."""

    r: float = 0.5

    def __post_init__(self) -> None:
        _check_shares(r=self.r)

    def ratio(self, t: int, iterations: int) -> float:  # noqa: ARG002  # the protocol's signature
        """Return r."""
        return self.r


@dataclass(frozen=True)
class Cosine:
    """From `start` towards `end` along half a cosine. `InputError` unless both are in (0, 1).

    r_t = end + (start - end)/2 * (1 + cos(pi t/T)), T iterations. Source: Vincent et al. 2025, whose printed
    factor (r_T + 1)/2 is a misprint.
    """

    start: float = 0.8
    end: float = 0.5

    def __post_init__(self) -> None:
        _check_shares(start=self.start, end=self.end)

    def ratio(self, t: int, iterations: int) -> float:
        """Return r_t."""
        return self.end + (self.start - self.end) / 2 * (1 + cos(pi * t / iterations))


@dataclass(frozen=True)
class Exponential:
    """From `start` towards `end`, decaying exponentially. `InputError` unless both are in (0, 1).

    r_t = end + (start - end)/2 * (1 + exp(-t/T)), T iterations. It does not reach `end`; that is as published
    (Vincent et al. 2025).
    """

    start: float = 0.8
    end: float = 0.5

    def __post_init__(self) -> None:
        _check_shares(start=self.start, end=self.end)

    def ratio(self, t: int, iterations: int) -> float:
        """Return r_t."""
        return self.end + (self.start - self.end) / 2 * (1 + exp(-t / iterations))


RETENTIONS: dict[str, Retention] = {"fixed": Fixed(), "cosine": Cosine(), "exponential": Exponential()}


def find_retention(retention: str | Retention) -> Retention:
    """Return the schedule of that name, with the paper's ratios, or the schedule itself."""
    if isinstance(retention, str):
        return find("retention", retention, RETENTIONS)
    return retention
