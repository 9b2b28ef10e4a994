import numpy as np
import pytest
import torch
from scipy.stats import invgamma

from xadbench.datasets import InputError
from xadbench.dsil.diffusion.inverse_gamma import InverseGamma
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule


def objective(n_features=6):
    return InverseGamma(n_features, NoiseSchedule())


def test_the_targets_are_the_variances():
    targets = objective().targets(np.array([0, 399]))
    np.testing.assert_allclose(targets, [1e-4, NoiseSchedule().sigma[-1] ** 2], rtol=1e-6)
    assert targets.dtype == torch.float32


@pytest.mark.parametrize("n_features", [3, 6, 100])
def test_the_loss_is_minus_the_log_likelihood_but_for_what_no_output_changes(n_features):
    u, variances = np.array([[0.7], [-1.3], [2.0]]), np.array([0.1, 0.5, 0.9])
    losses = [
        objective(n_features).losses(torch.tensor(outputs), torch.tensor(variances)).numpy()
        for outputs in (u, np.ones((3, 1)))
    ]
    likelihoods = [
        invgamma.logpdf(variances, a=n_features / 2 - 1, scale=outputs[:, 0] ** 2)
        for outputs in (u, np.ones((3, 1)))
    ]
    np.testing.assert_allclose(losses[0] - losses[1], likelihoods[1] - likelihoods[0], atol=1e-3)


def test_the_score_is_the_scale_whatever_the_sign_of_the_output():
    score = objective().score(torch.tensor([[-3.0], [3.0], [0.5]]))
    torch.testing.assert_close(score, torch.tensor([9.0, 9.0, 0.25], dtype=torch.float64))


@pytest.mark.parametrize("n_features", [1, 2])
def test_too_few_columns_are_refused_with_the_reason(n_features):
    with pytest.raises(
        InputError, match=r"expected at least 3 .*: its distribution has shape d/2 - 1, which"
    ):
        objective(n_features)
