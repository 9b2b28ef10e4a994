"""Shapley values of a score that torch can differentiate, by shap."""

from abc import abstractmethod
from typing import Any

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least

from .rows import RowExplainer
from .shapley import background_sample, load_shap


class TorchSHAP(RowExplainer):
    """Explainer of shap that takes a torch module of one output: `_score` and `_values` make it.

    The attribution is signed: what a feature adds to the score, against the background.
    """

    library = "shap"
    stream_name = ("torch_shap", "draws")
    library_name: str

    def _prepare(self, detector: Any, background: FloatArray) -> None:
        import torch  # noqa: PLC0415  # takes a second to import

        sample = torch.tensor(background_sample(background, self.random_state))
        with torch.enable_grad():
            self._explainer = getattr(load_shap(), self.library_name)(
                as_column(self._score(detector)), sample
            )

    def _explain_row(self, row: FloatArray) -> FloatArray:
        import torch  # noqa: PLC0415  # takes a second to import

        with torch.enable_grad():
            values: FloatArray = self._values(torch.tensor(row[None, :]))[0, :, 0]
        return values

    @abstractmethod
    def _score(self, detector: Any) -> Any:
        """Return the score, a function or module of tensors (n, d) to (n,)."""

    @abstractmethod
    def _values(self, x: Any) -> FloatArray:
        """Return shap's values (1, d, 1) of one row (1, d)."""


class GradientSHAP(TorchSHAP):
    r"""Explainer by expected gradients: an estimate of Aumann-Shapley values against the background.

    .. math:: E_{b, t}\, (x_i - b_i)\, \partial f / \partial x_i (b + t (x - b)),

    b a row of the background and t uniform in [0, 1]. The values of a row sum, up to the sampling, to f(x)
    minus the background's mean score.

    Parameters
    ----------
    n_samples
        Draws of (b, t), at least 1.
    random_state
        Seed of the background's rows and of the draws, at least 0.

    Notes
    -----
    Source: Erion et al. 2021, arXiv 1906.10670, through `shap.GradientExplainer`, which rounds the points to
    single precision. Cost per row: n_samples score evaluations with their gradients.
    """

    requires = frozenset({"gradient"})
    library_name = "GradientExplainer"

    def __init__(self, n_samples: int = 200, random_state: int = 0) -> None:
        at_least(1, n_samples=n_samples)
        self.n_samples = n_samples
        self.random_state = random_state

    def _score(self, detector: Any) -> Any:
        return detector.score_tensor

    def _values(self, x: Any) -> FloatArray:
        values: FloatArray = self._explainer.shap_values(x, nsamples=self.n_samples, rseed=self._seed)
        return values


class DeepSHAP(TorchSHAP):
    """Explainer by DeepLIFT's multipliers (rescale rule), averaged over the background as baselines.

    The values of a row sum to f(x) minus the background's mean score.

    Parameters
    ----------
    random_state
        Seed of the background's rows, at least 0.

    Notes
    -----
    Source: Lundberg & Lee 2017, through `shap.DeepExplainer`. Its hooks need each activation to be a module
    that is used once. Cost per row: a score evaluation and a gradient for twice the background, 200 at least.
    """

    requires = frozenset({"module"})
    library_name = "DeepExplainer"

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def _score(self, detector: Any) -> Any:
        return detector.score_module()

    def _values(self, x: Any) -> FloatArray:
        # The check of the sum has an absolute tolerance, whatever the unit of the score.
        values: FloatArray = self._explainer.shap_values(x, check_additivity=False)
        return values


def as_column(score: Any) -> Any:
    """Return a torch module of scores (n, 1), which is what shap wants, around one of scores (n,)."""
    from torch import Tensor, nn  # noqa: PLC0415  # takes a second to import

    class Column(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.score = score  # a module becomes a part, and its activations get hooks

        def forward(self, x: Tensor) -> Tensor:
            column: Tensor = self.score(x)[:, None]
            return column

    return Column()
