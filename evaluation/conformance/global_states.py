"""The global random states of Python, numpy and torch, watched."""

import random
import sys
from typing import Any

import numpy as np


def move_on(n: int) -> None:
    """Move the global generators on."""
    np.random.random(n)  # noqa: NPY002  # it is what is watched
    [random.random() for _ in range(n)]  # noqa: S311  # as above
    if torch := sys.modules.get("torch"):
        torch.rand(n)


def states() -> dict[str, Any]:
    """Return the states of the global generators, torch's where it was imported, as == compares them."""
    legacy: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002  # as above
    of_numpy = legacy | {"state": [bytes(legacy["state"]["key"]), legacy["state"]["pos"]]}
    found: dict[str, Any] = {"numpy": of_numpy, "Python": random.getstate()}
    if torch := sys.modules.get("torch"):
        found["torch"] = bytes(torch.get_rng_state().numpy())
    return found
