"""Explainers, a module each or a few, and the catalogue of those that a suite can name."""

from xadbench.evaluation.components.protocols import Explainer, missing

from .attribution import Captum
from .base import ExplainerObject, ExplainFunction, FunctionExplainer, as_explainer
from .catalogue import EXPLAINERS, KIND, make_explainer
from .coalitions import ExactShapley, LeverageSHAP
from .controls import Random
from .counterfactual import Counterfactual
from .deep import DeepSHAP, GradientSHAP
from .forest import DIFFI, ExIFFI, TreeSHAP
from .gradient import Gradient, Saliency
from .mahalanobis import Mahalanobis
from .marginal import RobustZ, ZScore
from .occlusion import ConditionalOcclusion
from .reconstruction import ReconstructionError
from .shapley import KernelSHAP, PermutationSHAP, SamplingSHAP
from .surprise import SurpriseBoosting, SurpriseRidge
from .surrogates import Lime
from .tails import COPOD, ECOD, HBOS

__all__ = [
    "Explainer",
    "ExplainFunction",
    "ExplainerObject",
    "FunctionExplainer",
    "EXPLAINERS",
    "KIND",
    "make_explainer",
    "as_explainer",
    "missing",
    "Captum",
    "DeepSHAP",
    "Gradient",
    "GradientSHAP",
    "KernelSHAP",
    "Lime",
    "PermutationSHAP",
    "Random",
    "Saliency",
    "SamplingSHAP",
    "LeverageSHAP",
    "ExactShapley",
    "TreeSHAP",
    "Counterfactual",
    "ConditionalOcclusion",
    "ZScore",
    "RobustZ",
    "Mahalanobis",
    "ECOD",
    "COPOD",
    "HBOS",
    "SurpriseRidge",
    "SurpriseBoosting",
    "DIFFI",
    "ExIFFI",
    "ReconstructionError",
]
