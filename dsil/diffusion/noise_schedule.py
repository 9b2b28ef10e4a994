"""The noise schedule, and the distribution of the noise over all its steps."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError


@dataclass(frozen=True)
class NoiseSchedule:
    r"""How strong the noise is at each step t = 0..n_steps-1.

    .. math:: \sigma_t = \sqrt{1 - \bar\alpha_t}, \quad \bar\alpha_t = \prod_{s \le t} (1 - \beta_s),

    with beta linear from `beta_start` to `beta_end`. Noising is variance-only, :math:`x_t = x_0 + \sigma_t
    \epsilon`. Source: Livernoche et al. 2024, arXiv 2305.18593, with the settings of Vincent et al. 2025.

    Raises
    ------
    InputError
        If `n_steps` is not at least 1, or the betas are not 0 < beta_start <= beta_end < 1.

    Examples
    --------
    >>> from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
    >>> NoiseSchedule().sigma[[0, -1]].round(2).tolist()
    [0.01, 0.93]
    """

    n_steps: int = 400
    beta_start: float = 1e-4
    beta_end: float = 1e-2

    def __post_init__(self) -> None:
        at_least(1, n_steps=self.n_steps)
        if not 0 < self.beta_start <= self.beta_end < 1:
            raise InputError(
                f"betas are {self.beta_start} to {self.beta_end}, expected 0 < beta_start <= beta_end < 1"
            )

    @cached_property
    def sigma(self) -> FloatArray:
        """Standard deviation of the noise at each step, (n_steps,), increasing, in (0, 1); read-only."""
        betas = np.linspace(self.beta_start, self.beta_end, self.n_steps)
        return _read_only(np.sqrt(1 - np.cumprod(1 - betas)))

    def cdf(self, z: float) -> float:
        """Return P(noise <= z) over the equal mixture of all steps, the N(0, sigma_t^2)."""
        return float(ndtr(z / self.sigma).mean())


@lru_cache(maxsize=32)
def quantile_nodes(n_nodes: int, schedule: NoiseSchedule) -> FloatArray:
    """Return nodes that stand for the noise of all steps, each with weight 1/n_nodes.

    They are the quantiles at (k + 1/2) / n_nodes, k = 0..n_nodes-1, of the equal mixture over t of
    N(0, sigma_t^2): the mean of g over the nodes is the mid-point rule for the mixture's mean of g.

    Returns
    -------
    (n_nodes,) float64
        Increasing, symmetric about 0 to the last bit, read-only.

    Raises
    ------
    InputError
        If `n_nodes` is not at least 1.
    """
    at_least(1, n_nodes=n_nodes)
    levels = (np.arange(n_nodes) + 0.5) / n_nodes
    upper = np.array([_quantile(level, schedule) for level in levels[(n_nodes + 1) // 2 :]])
    middle = np.zeros(n_nodes % 2)
    return _read_only(np.concatenate([-upper[::-1], middle, upper]))


def _quantile(level: float, schedule: NoiseSchedule) -> float:
    # The widest component alone reaches a level above 1/2 later than the mixture: it brackets the root.
    highest = schedule.sigma[-1] * ndtri(level)
    return float(brentq(lambda z: schedule.cdf(z) - level, 0.0, highest, xtol=1e-14))


def _read_only(values: FloatArray) -> FloatArray:
    values.flags.writeable = False
    return values
