"""Named random streams: a new consumer shifts nobody else's numbers."""

from hashlib import sha256

import numpy as np


def stream(seed: int, *path: str) -> np.random.Generator:
    """Return the random stream of one purpose.

    Parameters
    ----------
    seed
        The entry point's seed, at least 0.
    *path
        What the numbers are for, from coarse to fine. Another path is another, independent stream.

    Examples
    --------
    >>> from xadbench.datasets.rng import stream
    >>> stream(0, "noise", "x3").random() == stream(0, "noise", "x3").random()
    True
    """
    key = int.from_bytes(sha256("\0".join(path).encode()).digest()[:16], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))
