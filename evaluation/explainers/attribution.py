"""Explainers of Captum: one class, and a table of its methods."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import NotApplicable, find

from .rows import RowExplainer
from .shapley import background_sample

ROWS_AT_ONCE = 512  # in one call of the score


@dataclass(frozen=True)
class Method:
    """How to make and to call one of Captum's methods.

    `make` takes the package `captum.attr` and the score; `baseline` is "" (none), "mean" of the background or
    "sample" of its rows; `n_name` is what Captum calls the number of samples, `n_samples` gives it for d.
    """

    make: Callable[[Any, Any], Any]
    requires: str = ""
    baseline: str = ""
    n_name: str = ""
    n_samples: Callable[[int], int] = lambda _: 0
    options: Mapping[str, Any] = field(default_factory=dict)
    magnitude: bool = False
    min_features: int = 1


def _plain(name: str) -> Callable[[Any, Any], Any]:
    return lambda captum, score: getattr(captum, name)(score)


def _smooth_grad(captum: Any, score: Any) -> Any:
    return captum.NoiseTunnel(captum.Saliency(score))


def _lime(captum: Any, score: Any) -> Any:
    # Captum's own choice, a lasso of strength 0.01, is all zeros for a score of small unit.
    linear = import_module("captum._utils.models.linear_model")
    return captum.Lime(score, interpretable_model=linear.SkLearnRidge(alpha=1.0))


def _constant(n: int) -> Callable[[int], int]:
    return lambda _: n


def _per_feature(n: int) -> Callable[[int], int]:
    return lambda d: n * d


SMOOTH = {"abs": False, "stdevs": 0.5}  # no absolute value before the mean
BATCHED = {"perturbations_per_eval": ROWS_AT_ONCE}
METHODS: dict[str, Method] = {
    "input_x_gradient": Method(_plain("InputXGradient"), "gradient"),
    "integrated_gradients": Method(
        _plain("IntegratedGradients"), "gradient", "mean", "n_steps", _constant(50)
    ),
    "smooth_grad": Method(_smooth_grad, "gradient", "", "nt_samples", _constant(50), SMOOTH, magnitude=True),
    "captum_gradient_shap": Method(_plain("GradientShap"), "gradient", "sample", "n_samples", _constant(200)),
    "deep_lift": Method(_plain("DeepLift"), "module", "mean"),
    "feature_ablation": Method(_plain("FeatureAblation"), "", "mean", options=BATCHED),
    "shapley_sampling": Method(
        _plain("ShapleyValueSampling"), "", "mean", "n_samples", _constant(25), BATCHED
    ),
    "captum_kernel_shap": Method(
        _plain("KernelShap"), "", "mean", "n_samples", _per_feature(20), BATCHED, min_features=2
    ),
    "captum_lime": Method(_lime, "", "mean", "n_samples", _per_feature(20), BATCHED),
}
SCORES: dict[str, Callable[[Any], Any]] = {
    "gradient": lambda detector: detector.score_tensor,
    "module": lambda detector: detector.score_module(),
    "": lambda detector: _without_gradient(detector.decision_function),
}


class Captum(RowExplainer):
    r"""Explainer by one of Captum's methods.

    The attribution is signed: what a value adds to the score, so that a feature which makes the row look
    normal comes last. Only "smooth_grad", a slope, is taken by magnitude. The baseline is the mean of the
    background where a method takes one point, and the sample of `kernel_shap` where it takes many.

    Parameters
    ----------
    method
        One of these; n is `n_samples`, in brackets its default. The cost per row counts evaluations of the
        score, with their gradients for the first five.

        - "input_x_gradient": x_i times the slope, so 0 is its baseline. Shrikumar et al. 2016, arXiv
          1605.01713. Cost 1.
        - "integrated_gradients": the slope's mean from the mean to the row, times their difference; adds up
          to f(x) - f(mean). Sundararajan et al. 2017, arXiv 1703.01365. Cost n (50), and beyond some
          hundreds the nodes of the quadrature, which take n^3 steps.
        - "smooth_grad": magnitude of the mean slope under Gaussian noise of 0.5, in units of standardised
          rows. Smilkov et al. 2017, arXiv 1706.03825. Cost n (50).
        - "captum_gradient_shap": expected gradients against the sample, as `gradient_shap`. Lundberg & Lee
          2017. Cost n (200).
        - "deep_lift": rescale rule; adds up to f(x) - f(mean). Shrikumar et al. 2017, arXiv 1704.02685.
          Cost 2.
        - "feature_ablation": f(x) minus the score with the value at the mean. Cost d + 1.
        - "shapley_sampling": Shapley values against the mean over n permutations (25). Castro et al. 2009.
          Cost n d + 1.
        - "captum_kernel_shap": the same by regression on n coalitions (20 d), unpaired; d at least 2.
          Lundberg & Lee 2017. Cost n.
        - "captum_lime": ridge regression (strength 1) of the score on which values are at the mean, n draws
          (20 d), all of almost equal weight. Ribeiro et al. 2016, arXiv 1602.04938. Cost n.
    n_samples
        What is called n there, at least 1; None for the default. No meaning for the other methods.
    random_state
        Seed of the sample and of the draws, at least 0.
    """

    library = "captum"
    stream_name = ("captum", "draws")

    def __init__(self, method: str, n_samples: int | None = None, random_state: int = 0) -> None:
        self._method = find("method", method, METHODS)
        if n_samples is not None:
            at_least(1, n_samples=n_samples)
        self.method = method
        self.n_samples = n_samples
        self.random_state = random_state
        self.requires = frozenset({self._method.requires} - {""})

    @staticmethod
    def seeded(seed: int) -> AbstractContextManager[None]:
        """Seed Python's, NumPy's and torch's global generators within the scope."""
        from xadbench.dsil.networks.seeding import globally_seeded  # noqa: PLC0415  # torch takes a second to import

        return globally_seeded(seed)

    def _prepare(self, detector: Any, background: FloatArray) -> None:
        from torch import from_numpy  # noqa: PLC0415  # takes a second to import

        method, d = self._method, background.shape[1]
        if d < method.min_features:
            raise NotApplicable(f"{self.method} needs at least {method.min_features} features, found {d}")
        self._attribute = method.make(
            import_module("captum.attr"), SCORES[method.requires](detector)
        ).attribute
        self._options = dict(method.options)
        if method.n_name:
            self._options[method.n_name] = self.n_samples or method.n_samples(d)
        if method.baseline == "mean":
            self._options["baselines"] = from_numpy(background.mean(axis=0)[None])
        if method.baseline == "sample":
            self._options["baselines"] = from_numpy(background_sample(background, self.random_state))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        from torch import tensor  # noqa: PLC0415  # takes a second to import

        with silenced():
            attributions = self._attribute(tensor(row[None], requires_grad=True), **self._options)
        values: FloatArray = attributions[0].detach().double().numpy()
        return np.abs(values) if self._method.magnitude else values


def _without_gradient(score: Callable[[FloatArray], FloatArray]) -> Callable[[Any], Any]:
    from torch import Tensor, from_numpy  # noqa: PLC0415  # takes a second to import

    def of_tensor(x: Tensor) -> Tensor:
        return from_numpy(np.asarray(score(x.detach().numpy()), dtype=np.float64))

    return of_tensor


@contextmanager
def silenced() -> Iterator[None]:
    """Silence DeepLIFT's announcement that it hooks into the module: the module is a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Setting forward, backward hooks and attributes")
        yield
