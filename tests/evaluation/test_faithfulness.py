import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from xadbench.datasets.streams import stream
from xadbench.evaluation import metrics

WEIGHTS = np.array([3.0, -1.0, 0.5, 2.0, -0.3, 1.0])
ZERO = np.zeros(6)


def linear(X):
    return X @ WEIGHTS


def curved(X):
    return np.tanh(X @ WEIGHTS) + (X**2).sum(axis=1)


def case(n=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    return WEIGHTS * X + rng.standard_normal(X.shape), X


def captums(attributions, X, perturbed, n_draws, normalise):
    """Captum's infidelity under our own perturbations of each row, (n, n_draws, d)."""
    from captum.metrics import infidelity  # noqa: PLC0415  # seconds to import

    changes = iter(perturbed.reshape(len(X) * n_draws, -1)[None])
    values = infidelity(
        lambda x: torch.tensor(curved(x.numpy())),
        lambda x: (torch.tensor(change := next(changes)), x - torch.tensor(change)),
        torch.tensor(X),
        torch.tensor(attributions),
        n_perturb_samples=n_draws,
        normalize=normalise,
    )
    return values.numpy()


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("form", ["gaussian", "subset"])
def test_infidelity_is_that_of_captum(form, normalise):
    _, X = case()
    if form == "gaussian":
        noise = 0.1 * stream(0, "infidelity", "gaussian").standard_normal((30, 6))
        perturbed, settings = np.broadcast_to(noise, (20, 30, 6)), {"std": 0.1}
    else:
        chosen = stream(0, "infidelity", "subsets").random((30, 6)) < 0.5
        perturbed, settings = chosen * (X - 1.0)[:, None], {"baseline": np.ones(6)}
    attributions = X + 1 + WEIGHTS / 4  # of the score's own sign: Captum would turn other blame around
    ours = metrics.infidelity(attributions, X, curved, n_draws=30, normalise=normalise, **settings)
    assert_allclose(ours, captums(attributions, X, perturbed, 30, normalise), rtol=1e-9)
