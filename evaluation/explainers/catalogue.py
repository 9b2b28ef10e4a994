"""Explainers: what they are, and those that a suite can name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from xadbench.evaluation.components.protocols import Explainer
from xadbench.evaluation.components.registry import Entry, Factory, Kind, factory_of, make

from .attribution import METHODS, Captum
from .base import ExplainerObject, explainer_factory, object_factory
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


def _diffusion(aggregate: str) -> Factory[Explainer]:
    from xadbench.dsil import DiffusionPerturbation  # noqa: PLC0415  # torch takes a second to import

    return factory_of(DiffusionPerturbation, aggregate=aggregate)


def _repair() -> Factory[Explainer]:
    from xadbench.dsil import Repair  # noqa: PLC0415  # as above

    return factory_of(Repair)


def _captum(method: str) -> Callable[[], Factory[Explainer]]:
    without = {} if METHODS[method].n_name else {"n_samples": None}
    return partial(factory_of, Captum, method=method, **without)


EXPLAINERS: dict[str, Entry[Explainer]] = {
    "diffusion_mean": Entry("mean change of the score under diffusion noise", partial(_diffusion, "mean")),
    "diffusion_max": Entry("largest change of the score under diffusion noise", partial(_diffusion, "max")),
    "diffusion_weighted_mean": Entry(
        "mean change of the score, small noise weighing more", partial(_diffusion, "weighted_mean")
    ),
    "reconstruction_error": Entry(
        "what a reconstructing detector, such as ddpm, could not restore",
        partial(factory_of, ReconstructionError),
    ),
    "dsil_repair": Entry("ours: what must change, in this order, to make the row normal", _repair),
    "kernel_shap": Entry("signed Shapley values by KernelSHAP", partial(factory_of, KernelSHAP)),
    "saliency": Entry("absolute gradient of the score", partial(factory_of, Saliency)),
    "kernel_shap_default": Entry(
        "signed Shapley values by KernelSHAP, with the coalitions that shap would take",
        partial(factory_of, KernelSHAP, alpha=None),
    ),
    "permutation_shap": Entry(
        "signed Shapley values along permutations", partial(factory_of, PermutationSHAP)
    ),
    "sampling_shap": Entry("signed Shapley values by sampling", partial(factory_of, SamplingSHAP)),
    "gradient_shap": Entry("signed expected gradients (shap)", partial(factory_of, GradientSHAP)),
    "deep_shap": Entry("signed DeepLIFT against the background (shap)", partial(factory_of, DeepSHAP)),
    "gradient": Entry("signed gradient of the score", partial(factory_of, Gradient)),
    "input_x_gradient": Entry("signed gradient times value", _captum("input_x_gradient")),
    "integrated_gradients": Entry(
        "signed gradient, integrated from the mean", _captum("integrated_gradients")
    ),
    "smooth_grad": Entry("magnitude of the gradient's mean under noise", _captum("smooth_grad")),
    "captum_gradient_shap": Entry("signed expected gradients (Captum)", _captum("captum_gradient_shap")),
    "deep_lift": Entry("signed DeepLIFT against the mean", _captum("deep_lift")),
    "feature_ablation": Entry(
        "signed fall of the score with one value at the mean", _captum("feature_ablation")
    ),
    "shapley_sampling": Entry(
        "signed Shapley values against the mean, by permutations", _captum("shapley_sampling")
    ),
    "captum_kernel_shap": Entry(
        "signed Shapley values against the mean, by KernelSHAP", _captum("captum_kernel_shap")
    ),
    "captum_lime": Entry("signed effects of values against the mean, by LIME", _captum("captum_lime")),
    "lime": Entry("magnitude of the slopes of a local linear model", partial(factory_of, Lime)),
    "z_score": Entry("distance from the mean in standard deviations", partial(factory_of, ZScore)),
    "robust_z": Entry("distance from the median in robust deviations", partial(factory_of, RobustZ)),
    "mahalanobis": Entry("shares in the squared Mahalanobis distance", partial(factory_of, Mahalanobis)),
    "ecod": Entry("smaller tail of each feature's distribution", partial(factory_of, ECOD)),
    "copod": Entry("tails of an empirical copula, by skewness", partial(factory_of, COPOD)),
    "hbos": Entry("emptiness of each feature's histogram bin", partial(factory_of, HBOS)),
    "surprise_ridge": Entry(
        "distance from a ridge regression on the other features", partial(factory_of, SurpriseRidge)
    ),
    "surprise_boosting": Entry(
        "distance from a gradient boosting on the other features", partial(factory_of, SurpriseBoosting)
    ),
    "conditional_occlusion": Entry(
        "drop of the score with a feature redrawn given the others", partial(factory_of, ConditionalOcclusion)
    ),
    "counterfactual": Entry("smallest change to a normal score", partial(factory_of, Counterfactual)),
    "leverage_shap": Entry(
        "signed Shapley values, coalitions by leverage", partial(factory_of, LeverageSHAP)
    ),
    "exact_shapley": Entry(
        "signed Shapley values from all coalitions, d <= 12", partial(factory_of, ExactShapley)
    ),
    "tree_shap": Entry("signed Shapley values of a forest's path lengths", partial(factory_of, TreeSHAP)),
    "diffi": Entry("depth of a forest's splits on each feature", partial(factory_of, DIFFI)),
    "exiffi": Entry("unevenness of a forest's splits on each feature", partial(factory_of, ExIFFI)),
    "random": Entry("control: random attributions, whose score is chance", partial(factory_of, Random)),
}


CONTROL_NAMES = frozenset({"oracle", "oracle_network", "network_heuristic", "truth", "inverted_truth"})
KIND = Kind("explainer", "xadbench.explainers", EXPLAINERS, explainer_factory, object_factory, CONTROL_NAMES)


def make_explainer(made_from: str | ExplainerObject, /, *, random_state: int, **params: Any) -> Explainer:
    """Make an explainer.

    Parameters
    ----------
    made_from
        A key of `EXPLAINERS`; the name of an installed plug-in; or a class or function of your own, as
        "package.module:Name" or "path/to/file.py:name". Or an object: a class, a function of (detector,
        background, X), or an explainer, which is copied.
    random_state
        Seed, at least 0; explainers without randomness ignore it.
    **params
        Parameters of the explainer.

    Raises
    ------
    InputError
        If the name or a parameter is unknown; the message names the known ones. If what it names cannot be
        imported, or is no explainer.

    Examples
    --------
    >>> from xadbench.evaluation.explainers import make_explainer
    >>> make_explainer("kernel_shap", random_state=0, alpha=4.0).alpha
    4.0
    """
    return make(KIND, made_from, random_state, params)
