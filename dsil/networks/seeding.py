"""Seeds for what draws from global random states, which are put back afterwards."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Seed Python's, numpy's and torch's global generators inside the block; put them back afterwards."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # what PyOD draws from
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  # as above
        with torch_seeded(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002  # as above


@contextmanager
def torch_seeded(seed: int) -> Iterator[None]:
    """Seed torch's global CPU generator inside the block, and put its state back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed other devices too
        yield
