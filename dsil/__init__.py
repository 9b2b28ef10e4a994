"""The paper's method: diffusion time estimation, iterated, and its explainer. Torch lives here."""

from .ddpm import DDPM
from .dte import DTE
from .gaussian import Gaussian
from .iterate import DSIL
from .nonparametric import DTENonParametric
from .perturbation import DiffusionPerturbation
from .repair import Repair
from .saving import load
from .weighted import WeightedLoss

__all__ = [
    "DTE",
    "DTENonParametric",
    "DDPM",
    "Gaussian",
    "DSIL",
    "WeightedLoss",
    "DiffusionPerturbation",
    "Repair",
    "load",
]
