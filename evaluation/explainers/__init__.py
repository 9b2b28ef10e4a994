"""Explainers: what they are, and those that a suite can name."""

from functools import partial
from typing import Any

from xadbench.evaluation.registry import Entry, Factory, factory_of, make

from .base import Explainer, ExplainFunction, FunctionExplainer, as_explainer, missing
from .controls import Random
from .gradient import Saliency
from .marginal import ZScore
from .shapley import KernelSHAP

__all__ = [
    "Explainer",
    "ExplainFunction",
    "FunctionExplainer",
    "EXPLAINERS",
    "make_explainer",
    "as_explainer",
    "missing",
    "KernelSHAP",
    "Random",
    "Saliency",
    "ZScore",
]


def _diffusion(aggregate: str) -> Factory[Explainer]:
    from xadbench.dsil import DiffusionPerturbation  # noqa: PLC0415  # torch takes a second to import

    return factory_of(DiffusionPerturbation, aggregate=aggregate)


def _repair() -> Factory[Explainer]:
    from xadbench.dsil import Repair  # noqa: PLC0415  # as above

    return factory_of(Repair)


EXPLAINERS: dict[str, Entry[Explainer]] = {
    "diffusion_mean": Entry("mean change of the score under diffusion noise", partial(_diffusion, "mean")),
    "diffusion_max": Entry("largest change of the score under diffusion noise", partial(_diffusion, "max")),
    "dsil_repair": Entry("ours: what must change, in this order, to make the row normal", _repair),
    "kernel_shap": Entry("signed Shapley values by KernelSHAP", partial(factory_of, KernelSHAP)),
    "saliency": Entry("absolute gradient of the score", partial(factory_of, Saliency)),
    "z_score": Entry("distance from the mean in standard deviations", partial(factory_of, ZScore)),
    "random": Entry("control: random blame, whose score is chance", partial(factory_of, Random)),
}


def make_explainer(name: str, *, random_state: int, **params: Any) -> Explainer:
    """Make an explainer.

    Parameters
    ----------
    name
        A key of `EXPLAINERS`.
    random_state
        Seed, at least 0; explainers without randomness ignore it.
    **params
        Parameters of the explainer.

    Raises
    ------
    InputError
        If the name or a parameter is unknown; the message names the known ones.

    Examples
    --------
    >>> from xadbench.evaluation.explainers import make_explainer
    >>> make_explainer("kernel_shap", random_state=0, alpha=4.0).alpha
    4.0
    """
    return make("explainer", name, EXPLAINERS, random_state, params)
