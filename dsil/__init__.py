"""The paper's method: diffusion time estimation, iterated, and its explainer. Torch lives here."""

from .dte import DTE
from .iterate import DSIL
from .perturbation import DiffusionPerturbation
from .saving import load
from .weighted import WeightedLoss

__all__ = ["DTE", "DSIL", "WeightedLoss", "DiffusionPerturbation", "load"]
