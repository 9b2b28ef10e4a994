import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError
from scipy import stats

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.networks.noise import (
    NOISES,
    ExponentialNoise,
    GammaNoise,
    NormalNoise,
    UniformNoise,
    noise,
)

CASES = {
    "exponential": (ExponentialNoise(scale=2.5), stats.expon(scale=2.5)),
    "gamma": (GammaNoise(shape=1.7, scale=3.0), stats.gamma(1.7, scale=3.0)),
    "normal": (NormalNoise(mean=-1.0, std=4.0), stats.norm(-1.0, 4.0)),
    "uniform": (UniformNoise(low=2.0, width=5.0), stats.uniform(2.0, 5.0)),
}
families = pytest.mark.parametrize("family", sorted(NOISES))


@families
@pytest.mark.parametrize("seed", range(3))
def test_draws_follow_the_distribution(family, seed):
    own, reference = CASES[family]
    assert stats.kstest(own.draw(stream(seed, family), 4000), reference.cdf).pvalue > 1e-4


@families
def test_log_density_is_that_of_scipy(family):
    own, reference = CASES[family]
    values = np.linspace(-10.05, 20, 400)
    assert_allclose(own.log_density(values), reference.logpdf(values), rtol=1e-12)


@families
def test_moments_are_those_of_scipy(family):
    own, reference = CASES[family]
    assert_allclose(own.moments(), (reference.mean(), reference.std()))


@families
def test_fewer_draws_are_the_first_of_more(family):
    own, _ = CASES[family]
    assert_array_equal(own.draw(stream(1), 50), own.draw(stream(1), 99)[:50])


@families
def test_scaling_multiplies_every_parameter(family):
    own, _ = CASES[family]
    before, after = own.model_dump(), own.scaled(3).model_dump()
    assert after.pop("family") == before.pop("family")
    assert after == {name: 3 * value for name, value in before.items()}


@families
def test_the_registry_finds_a_family_by_its_name(family):
    assert noise(family).model_fields["family"].default == family


def test_an_unknown_family_names_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown noise family 'cauchy'.*; known: exponential, gamma, normal"
    ):
        noise("cauchy")


def test_a_standard_deviation_is_positive_and_finite():
    for std in (0.0, -1.0, np.inf):
        with pytest.raises(ValidationError):
            NormalNoise(mean=0, std=std)
