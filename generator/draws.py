"""Random choices whose bits do not depend on the NumPy version: all from `Generator.random`."""

import numpy as np

from xadbench.datasets.common.arrays import IntArray
from xadbench.datasets.common.errors import InputError

BLOCK_ROWS = 8192  # rows from one stream; part of the data's identity: another size gives other rows


def check_seed(seed: int) -> int:
    """Return `seed` as a plain int; raise InputError if it is not an integer of at least 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed is {seed!r}; expected an integer of at least 0")
    return int(seed)


def uniform(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    """Return a number uniform between the two bounds."""
    low, high = bounds
    return low + (high - low) * rng.random()


def integer(low: int, high: int, rng: np.random.Generator) -> int:
    """Return an integer uniform on low..high, both included."""
    return low + int(rng.random() * (high - low + 1))


def permutation(n: int, rng: np.random.Generator) -> IntArray:
    """Return 0..n-1 in uniformly random order, (n,)."""
    return np.argsort(rng.random(n), kind="stable")


def subset(n: int, size: int, rng: np.random.Generator) -> IntArray:
    """Return `size` distinct numbers of 0..n-1, drawn without replacement, ascending, (size,)."""
    return np.sort(permutation(n, rng)[:size])
