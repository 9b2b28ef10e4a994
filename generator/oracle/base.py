"""What all that know the network share: its units, and what the rows were standardised with."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError

from .density import Network


class KnowsNetwork:
    """The network and the units of the rows.

    Parameters
    ----------
    network
        The network that the rows come from.
    mean, std : (d,) float64
        What the rows were standardised with: x = (x_network - mean) / std. Default: not at all.

    Raises
    ------
    InputError
        If `mean` or `std` has not one finite value a node, or a `std` is not above 0.
    """

    version: ClassVar[int] = 1

    def __init__(self, network: Network, mean: ArrayLike = 0.0, std: ArrayLike = 1.0) -> None:
        self.network = network
        self.mean = self._per_node(mean, "mean")
        self.std = self._per_node(std, "std")
        if not (self.std > 0).all():
            raise InputError("std has values that are not above 0")

    def get_params(self) -> Mapping[str, Any]:
        """Return the parameters that it was made with."""
        return {"network": self.network, "mean": self.mean, "std": self.std}

    def _per_node(self, values: ArrayLike, name: str) -> FloatArray:
        shape = (len(self.network.noise),)
        try:
            spread: FloatArray = np.broadcast_to(np.asarray(values, dtype=np.float64), shape)
        except ValueError:
            raise InputError(f"{name} has shape {np.shape(values)}, expected {shape}") from None
        if not np.isfinite(spread).all():
            raise InputError(f"{name} has values that are NaN or infinite")
        return spread

    def in_units(self, X: FloatArray) -> FloatArray:
        """Return rows, checked, in the network's units."""
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):
            raise InputError(
                f"rows have shape {rows.shape}, expected (n, {len(self.mean)}): one column a node"
            )
        if not np.isfinite(rows).all():
            raise InputError("rows have values that are NaN or infinite")
        return rows * self.std + self.mean
