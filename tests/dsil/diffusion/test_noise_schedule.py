import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from xadbench.datasets import InputError
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule, quantile_nodes

SCHEDULE = NoiseSchedule()


def test_the_noise_runs_from_one_to_93_hundredths():
    assert SCHEDULE.sigma.shape == (400,)
    assert SCHEDULE.sigma[0] == pytest.approx(0.01)
    assert SCHEDULE.sigma[-1] == pytest.approx(0.93, abs=0.005)
    assert (np.diff(SCHEDULE.sigma) > 0).all()


def test_the_variance_is_what_the_product_of_alphas_leaves():
    alphas = 1 - np.linspace(1e-4, 1e-2, 400)
    assert SCHEDULE.sigma[99] == pytest.approx(np.sqrt(1 - np.prod(alphas[:100])))


@given(st.integers(1, 40))
def test_nodes_are_symmetric_and_at_the_mid_quantiles(n_nodes):
    nodes = quantile_nodes(n_nodes, SCHEDULE)
    assert np.array_equal(nodes, -nodes[::-1])
    levels = [SCHEDULE.cdf(node) for node in nodes]
    np.testing.assert_allclose(levels, (np.arange(n_nodes) + 0.5) / n_nodes, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_nodes_are_distributed_as_the_noise_of_all_steps(seed):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(200_000) * SCHEDULE.sigma[rng.integers(400, size=200_000)]
    # 500 equal-weight steps differ from the distribution by 1/1000; the sample by 0.005 once in 100 000.
    assert ks_2samp(quantile_nodes(500, SCHEDULE), noise).statistic < 0.006


def test_nodes_are_computed_once_and_nobody_can_change_them():
    nodes = quantile_nodes(8, NoiseSchedule())
    assert quantile_nodes(8, NoiseSchedule()) is nodes
    with pytest.raises(ValueError, match="read-only"):
        nodes[0] = 0


@pytest.mark.parametrize(
    "settings", [{"n_steps": 0}, {"beta_start": 0.0}, {"beta_end": 1.0}, {"beta_end": 1e-5}]
)
def test_an_impossible_schedule_is_refused(settings):
    with pytest.raises(InputError, match="expected"):
        NoiseSchedule(**settings)
