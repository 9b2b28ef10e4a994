"""The same bits whatever the number of threads, which are given back."""

import numpy as np
import pytest
import torch

from xadbench.datasets import InputError
from xadbench.dsil import DDPM, DSIL, DTE, DiffusionPerturbation, Gaussian, Repair

X = np.random.default_rng(0).standard_normal((1500, 60))  # so many that two threads share a product
DETECTORS = {
    "dte": DTE(epochs=2, batch_size=512),
    "ddpm": DDPM(epochs=1, batch_size=512, reverse_steps=2),
    "dsil": DSIL(DTE(epochs=2, batch_size=512), iterations=2),
    "gaussian": Gaussian(),
}


@pytest.fixture
def on_threads():
    """A function that returns what another one returns on so many threads, and what torch has afterwards."""
    before = torch.get_num_threads()

    def run(number, compute):
        torch.set_num_threads(number)
        return compute(), torch.get_num_threads()

    yield run
    torch.set_num_threads(before)


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_fits_scores_and_gradients_have_the_same_bits_on_one_thread_and_two(detector, on_threads):
    def compute():
        fitted = detector.fit(X)
        with torch.no_grad():
            tensor = fitted.score_tensor(torch.from_numpy(X)).numpy()
        return np.concatenate([fitted.decision_scores_, fitted.decision_function(X), tensor])

    (one, after_one), (two, after_two) = on_threads(1, compute), on_threads(2, compute)
    np.testing.assert_array_equal(one, two)
    assert (after_one, after_two) == (1, 2)


@pytest.mark.parametrize("explainer", [DiffusionPerturbation(), Repair()], ids=["perturbation", "repair"])
def test_attributions_have_the_same_bits_on_one_thread_and_two(explainer, on_threads):
    detector = DTE(epochs=2, batch_size=512).fit(X)

    def compute():
        return explainer.fit(detector, background=X).explain(X[:5])

    (one, after_one), (two, after_two) = on_threads(1, compute), on_threads(2, compute)
    np.testing.assert_array_equal(one, two)
    assert (after_one, after_two) == (1, 2)


def test_a_failed_fit_gives_the_threads_back(on_threads):
    def fail():
        with pytest.raises(InputError):
            DTE(epochs=0).fit(X)

    _, after = on_threads(2, fail)
    assert after == 2
