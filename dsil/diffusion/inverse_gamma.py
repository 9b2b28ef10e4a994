"""Diffusion time as a variance: the network gives the scale of an inverse gamma over sigma_t^2."""

from dataclasses import dataclass

import torch
from torch import Tensor

from xadbench.datasets.common.arrays import IntArray
from xadbench.datasets.common.errors import NotApplicable

from .noise_schedule import NoiseSchedule

NO_LOG_OF_ZERO = 1e-5


@dataclass(frozen=True)
class InverseGamma:
    r"""Fit an inverse gamma to the variance of a row's noise; score by its scale.

    The network's one output u gives the scale :math:`\beta = u^2`; the loss of a row noised at step t is

    .. math:: \beta / \sigma_t^2 - (d/2 - 1) \log(\beta + 10^{-5}),

    which is, up to a constant of the row, minus the log-likelihood of :math:`\sigma_t^2` under an inverse
    gamma of shape :math:`d/2 - 1` and scale :math:`\beta`. The mode grows with the scale, and the scale is
    the score. The published code scores by u instead, whose sign nothing fixes: that is the likely cause of
    its weak published figures. Source: Livernoche et al. 2024, arXiv 2305.18593, there "DTE-IG".

    Raises
    ------
    Unsuitable
        If `n_features` is below 3, where the shape is not positive.
    """

    n_features: int
    schedule: NoiseSchedule

    def __post_init__(self) -> None:
        if self.n_features < 3:
            raise NotApplicable(
                f"X has {self.n_features} feature(s), expected at least 3 for method 'inverse_gamma': "
                "its distribution has shape d/2 - 1, which must be positive"
            )

    @property
    def n_outputs(self) -> int:
        """Number of outputs that the network needs: u alone."""
        return 1

    def targets(self, steps: IntArray) -> Tensor:
        """Return the variances sigma_t^2 of steps (n,), as float32."""
        return torch.from_numpy(self.schedule.sigma[steps] ** 2).float()

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row: outputs (n, 1), targets (n,)."""
        scale = outputs.squeeze(1).square()
        return scale / targets - (self.n_features / 2 - 1) * torch.log(scale + NO_LOG_OF_ZERO)

    def score(self, outputs: Tensor) -> Tensor:
        """Return the scale u^2 of outputs (n, 1), (n,) float64, at least 0; higher = noisier."""
        return outputs.squeeze(1).double().square()
