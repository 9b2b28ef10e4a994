import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.rng import stream
from xadbench.generator.injection.gaussian_mixture import Mixture, fit_mixture


@pytest.fixture(scope="module")
def two_blobs():
    rng = stream(0, "blobs")
    blob = rng.standard_normal((600, 2)) @ np.array([[1.0, 0.8], [0.0, 0.3]])
    return blob + np.where(rng.random((600, 1)) < 0.25, 8.0, -8.0)


@pytest.fixture(scope="module")
def mixture(two_blobs):
    return fit_mixture(two_blobs, stream(0, "fit"))


def test_bic_finds_the_components(mixture):
    assert_allclose(np.sort(mixture.weights), [0.25, 0.75], atol=0.05)


def test_samples_have_the_moments_of_the_rows(mixture, two_blobs, rng):
    sample = mixture.sample(20_000, rng)
    assert_allclose(sample.mean(axis=0), two_blobs.mean(axis=0), atol=0.2)
    assert_allclose(np.cov(sample.T), np.cov(two_blobs.T), rtol=0.05)


def test_samples_of_a_component_have_its_covariance(mixture, two_blobs, rng):
    sample = mixture.sample(20_000, rng)
    assert_allclose(np.cov(sample[sample[:, 0] < 0].T), np.cov(two_blobs[two_blobs[:, 0] < 0].T), atol=0.05)


def test_components_come_in_random_order(mixture, rng):
    upper = mixture.sample(400, rng)[:, 0] > 0
    assert 100 < np.count_nonzero(np.diff(upper)) < 200  # in sorted order: 1


def test_scaling_multiplies_means_and_standard_deviations(mixture):
    assert_allclose(mixture.scaled(3).sample(50, stream(1)), 3 * mixture.sample(50, stream(1)))


def test_one_generator_is_carried_through(mixture, rng):
    assert not np.isin(mixture.sample(50, rng), mixture.sample(50, rng)).any()


def test_the_stream_decides_the_fit(rng):
    angle = 2 * np.pi * rng.random(400)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.standard_normal((400, 2))
    first, again, other = (fit_mixture(ring, stream(seed)).means for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_repeated_rows_are_no_obstacle():
    rows = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    assert np.isfinite(fit_mixture(rows, stream(0)).sample(100, stream(1))).all()


@pytest.mark.parametrize(("n", "components"), [(8, 2), (7, 1)])
def test_a_component_has_more_rows_than_features(n, components, rng):
    rows = rng.standard_normal((n, 3)) + np.where(np.arange(n) % 2, 1e3, -1e3)[:, None]
    assert len(fit_mixture(rows, rng).weights) == components


def test_a_rows_component_is_drawn_given_its_values(rng):
    factors = np.stack([np.diag([1.0, 2.0]), np.array([[3.0, 0.0], [2.0, 1.5]])])
    mixture = Mixture(np.array([0.3, 0.7]), np.array([[0.0, 0.0], [100.0, 100.0]]), factors)
    rows = np.array([[0.0, 1.0], [99.0, 101.0]])
    assert_allclose(mixture.component_stds(rows, rng), [[1.0, 2.0], [3.0, 2.5]])


def test_of_alike_components_each_comes_as_often_as_its_share(rng):
    factors = np.stack([np.eye(1), np.eye(1) * (1 + 1e-9)])
    mixture = Mixture(np.array([0.25, 0.75]), np.zeros((2, 1)), factors)
    stds = mixture.component_stds(np.zeros((4000, 1)), rng)
    assert abs((stds == 1).mean() - 0.25) < 0.03
