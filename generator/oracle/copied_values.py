"""The density of values that are copied from other rows of a network that is not linear and Gaussian.

It is a kernel estimate from rows of the network: Gaussian kernels, bandwidths by Scott's rule.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from xadbench.datasets.common.arrays import FloatArray, IntArray

from .linear_gaussian import block, log_normal, log_normals, times
from .new_values import Floor, NewValues

POINTS = 512  # of a margin's table
PAIRS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Copied(NewValues):
    """Values of other rows: each of its own (`dependency`), or all of one (`swap`, `together`).

    Parameters
    ----------
    floor
        The least change.
    rows : (n, d) float64
        Rows of the network.
    together
        Whether the values of a set are those of one row.
    """

    floor: Floor
    rows: FloatArray
    together: bool

    def log_density(self, values: FloatArray, clean: FloatArray, sets: IntArray) -> FloatArray:
        """As `NewValues.log_density`."""
        near = np.exp(self._log_margins(clean, sets)) * 2 * self.floor.least[sets]
        factor = self.floor.log_factor(values - clean, np.minimum(near, 1.0), sets)
        own = self._log_joint if self.together and sets.shape[-1] > 1 else self._log_product
        return own(values, sets) + factor

    def screen(
        self, values: FloatArray, mean: FloatArray, covariance: FloatArray, sets: IntArray
    ) -> FloatArray:
        """As `NewValues.screen`; values that belong together as jointly normal."""
        del mean, covariance
        if not self.together or sets.shape[-1] == 1:
            return self._log_product(values, sets)

        return log_normal(values - self.rows.mean(axis=0)[sets], block(self._covariance, sets))

    @cached_property
    def _covariance(self) -> FloatArray:
        return np.cov(self.rows.T)

    @cached_property
    def _tables(self) -> tuple[FloatArray, FloatArray]:
        """Points (POINTS, d) along each feature and the log-density of its margin there."""
        width = self.rows.std(axis=0) * len(self.rows) ** -0.2
        low, high = self.rows.min(axis=0) - 8 * width, self.rows.max(axis=0) + 8 * width
        points = low + (high - low) * np.linspace(0, 1, POINTS)[:, None]
        columns = zip(points.T, self.rows.T, width, strict=True)
        each = [logsumexp(log_normals(p[:, None], r, w), axis=1) for p, r, w in columns]
        return points, np.stack(each, axis=1) - np.log(len(self.rows))

    def _log_margins(self, values: FloatArray, sets: IntArray) -> FloatArray:
        points, table = self._tables
        low, step = points[0][sets], (points[1] - points[0])[sets]
        place = np.clip((values - low) / step, 0, POINTS - 1.001)
        before = place.astype(int)
        part = place - before
        return np.asarray((1 - part) * table[before, sets] + part * table[before + 1, sets])

    def _log_product(self, values: FloatArray, sets: IntArray) -> FloatArray:
        return np.asarray(self._log_margins(values, sets).sum(axis=-1))

    def _log_joint(self, values: FloatArray, sets: IntArray) -> FloatArray:
        """Return the log-density (n, 1) of values (n, 1, m): kernels as wide as the rows' covariance."""
        m = sets.shape[-1]
        spread = block(self._covariance, sets[:, 0]) * len(self.rows) ** (-2 / (m + 4))
        root = np.linalg.inv(np.linalg.cholesky(spread))
        scale = np.linalg.slogdet(root)[1] - m * np.log(2 * np.pi) / 2 - np.log(len(self.rows))
        step = max(1, PAIRS_AT_ONCE // (len(self.rows) * m))
        parts = []
        for i in range(0, len(values), step):
            near = np.moveaxis(self.rows[:, sets[i : i + step, 0]], 0, 1)
            z = times(root[i : i + step, None], near - values[i : i + step])
            parts.append(logsumexp(-(z**2).sum(axis=-1) / 2, axis=1))
        return np.asarray((np.concatenate(parts) + scale)[:, None])
