"""The paper's method: diffusion time estimation, iterated, and its explainer. Torch lives here."""

from .ddpm import DDPM
from .dte import DTE
from .ensemble import Ensemble
from .gaussian import Gaussian
from .iterate import DSIL
from .neighbours import Neighbours
from .nonparametric import DTENonParametric
from .perturbation import DiffusionPerturbation
from .repair import Repair
from .saving import load
from .tails import Tails
from .weighted import WeightedLoss

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
