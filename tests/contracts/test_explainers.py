"""What every registered explainer must keep, whatever it is."""

import numpy as np
import pytest
import torch

from xadbench.evaluation.components.protocols import Explainer, missing
from xadbench.evaluation.conformance.checks import background as training
from xadbench.evaluation.conformance.checks import rows
from xadbench.evaluation.conformance.explainers import attributions_of
from xadbench.evaluation.conformance.testing import ExplainerContract
from xadbench.evaluation.conformance.toy_detectors import Curved, Linear, Plain
from xadbench.evaluation.explainers import EXPLAINERS, make_explainer

NO_TRUE_FEATURE = {
    "random": "names without looking",
    "copod": "halves the attribution of what lies far out against its feature's skewness",
}
# Fewer draws and rounds than by default: what must hold, holds for any number.
QUICK = {
    "captum_gradient_shap": {"n_samples": 20},
    "captum_kernel_shap": {"n_samples": 40},
    "captum_lime": {"n_samples": 40},
    "gradient_shap": {"n_samples": 20},
    "lime": {"n_samples": 200},
    "sampling_shap": {"n_samples": 20},
    "shapley_sampling": {"n_samples": 5},
    "surprise_boosting": {"max_iter": 10},
}

every = pytest.mark.parametrize("name", sorted(EXPLAINERS))


def made(name: str, random_state: int = 0) -> Explainer:
    return make_explainer(name, random_state=random_state, **QUICK.get(name, {}))


def fitted(name: str, detector: Plain) -> Explainer:
    return made(name).fit(detector, background=training())


class TestRegistered(ExplainerContract):
    tolerance = 0.0  # ours give the same bits

    @pytest.fixture(autouse=True, params=sorted(EXPLAINERS))
    def _named(self, request):
        self.name = request.param
        reason = NO_TRUE_FEATURE.get(self.name)
        self.exempt = {"ground_truth": reason} if reason else {}

    def make(self, random_state):
        return made(self.name, random_state)


@every
def test_attribution_is_in_double_precision_and_none_for_no_rows(name: str) -> None:
    explainer = fitted(name, Curved())
    assert explainer.explain(rows()).dtype == np.float64
    assert explainer.explain(rows()[:0]).shape == (0, rows().shape[1])


@every
def test_what_is_missing_is_told(name: str) -> None:
    explainer = made(name)
    reason = missing(explainer, Plain())
    assert missing(explainer, Linear()) is None
    assert (reason is None) == (not explainer.requires)
    if reason is None:
        assert np.isfinite(attributions_of(fitted(name, Plain()), rows())).all()


class Watched(Linear):
    """Notes on how many threads it is asked."""

    def __init__(self):
        super().__init__()
        self.numbers = set()

    def decision_function(self, X):
        self.numbers.add(torch.get_num_threads())
        return super().decision_function(X)

    def score_tensor(self, x):
        self.numbers.add(torch.get_num_threads())
        return super().score_tensor(x)


@every
def test_it_asks_the_detector_on_one_thread_and_gives_the_others_back(name: str) -> None:
    before, detector = torch.get_num_threads(), Watched()
    torch.set_num_threads(2)
    try:
        fitted(name, detector).explain(rows()[:2])
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    assert after == 2
    assert detector.numbers <= {1}


@every
def test_an_entry_describes_itself_and_its_version(name: str) -> None:
    assert 10 < len(EXPLAINERS[name].description) < 80
    assert isinstance(make_explainer(name, random_state=0).version, int)
