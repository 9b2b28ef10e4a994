"""The paper's method: diffusion time estimation, iterated, and its explainer. Torch lives here."""

from .detectors.ddpm import DDPM
from .detectors.dsil import DSIL
from .detectors.dte import DTE
from .detectors.dte_nonparametric import DTENonParametric
from .detectors.ensemble import Ensemble
from .detectors.gaussian import Gaussian
from .detectors.neighbours import Neighbours
from .detectors.retention import RETENTIONS
from .detectors.tails import Tails
from .detectors.weighted_loss import WeightedLoss
from .explainers.counterfactual_repair import Repair
from .explainers.diffusion_perturbation import DiffusionPerturbation
from .serialization import allow, load

__all__ = [
    "DTE",
    "DTENonParametric",
    "DDPM",
    "Gaussian",
    "Neighbours",
    "Tails",
    "DSIL",
    "WeightedLoss",
    "Ensemble",
    "DiffusionPerturbation",
    "Repair",
    "load",
]


def __dir__() -> list[str]:
    return sorted(__all__)


# What can be saved: the detectors, and the schedules in them.
allow(DTE, DTENonParametric, DDPM, Gaussian, Neighbours, Tails, DSIL, WeightedLoss, Ensemble)
allow(*map(type, RETENTIONS.values()))
