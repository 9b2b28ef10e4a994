"""Explainers that read the gradient of the score."""

from typing import Any, ClassVar

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

from .rows import RowExplainer


class Gradient(RowExplainer):
    r"""Explainer by the signed slope of the score: :math:`\partial f / \partial x_i` at the row.

    A feature comes first if raising its value would raise the score, whether or not the value is high: that
    makes it a weak attribution, included because it is often used. `Saliency` ignores the sign. One score
    evaluation and its gradient per row.
    """

    requires = frozenset({"gradient"})
    random_state: int = 0
    stream_name: ClassVar[tuple[str, str]] = ("gradient", "draws")  # of which there are none

    def _prepare(self, detector: Any, background: FloatArray) -> None:  # noqa: ARG002  # it only gives d
        self._detector = detector

    def _explain_row(self, row: FloatArray) -> FloatArray:
        import torch  # noqa: PLC0415  # takes a second to import

        x = torch.tensor(row[None, :], requires_grad=True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self._detector.score_tensor(x).sum(), x)
        values: FloatArray = gradient[0].numpy()
        return values


class Saliency(Gradient):
    r"""Explainer by the steepness of the score: :math:`|\partial f / \partial x_i|` at the row.

    Notes
    -----
    Source: Simonyan et al. 2014, arXiv 1312.6034. It is the gradient of the score f itself; the published
    code of Vincent et al. 2025 took a softmax of the signed gradient of another function.
    """

    def _explain_row(self, row: FloatArray) -> FloatArray:
        return np.abs(super()._explain_row(row))
