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
    ModesNoise,
    NormalNoise,
    StudentNoise,
    UniformNoise,
    noise,
)


class _Modes:
    """Uniform about -4, 0 and 4, one wide: from SciPy's uniform distributions."""

    parts = tuple(stats.uniform(centre - 0.5, 1.0) for centre in (-4.0, 0.0, 4.0))

    def cdf(self, values):
        return np.mean([part.cdf(values) for part in self.parts], axis=0)

    def logpdf(self, values):
        with np.errstate(divide="ignore"):
            return np.log(np.mean([part.pdf(values) for part in self.parts], axis=0))

    def mean(self):
        return 0.0

    def std(self):
        return np.sqrt(np.mean([part.mean() ** 2 + part.var() for part in self.parts]))


COUNTS = {"family", "degrees", "modes"}  # what scaling leaves as it is
CASES = {
    "exponential": (ExponentialNoise(scale=2.5), stats.expon(scale=2.5)),
    "gamma": (GammaNoise(shape=1.7, scale=3.0), stats.gamma(1.7, scale=3.0)),
    "modes": (ModesNoise(modes=3, distance=4.0, width=1.0), _Modes()),
    "normal": (NormalNoise(mean=-1.0, std=4.0), stats.norm(-1.0, 4.0)),
    "student": (StudentNoise(degrees=5, mean=-1.0, scale=2.0), stats.t(5, -1.0, 2.0)),
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
    assert after == {name: value if name in COUNTS else 3 * value for name, value in before.items()}


def test_modes_lie_apart():
    with pytest.raises(ValidationError, match="width is not less than distance"):
        ModesNoise(modes=2, distance=1.0, width=1.0)


@families
def test_the_registry_finds_a_family_by_its_name(family):
    assert noise(family).model_fields["family"].default == family


def test_an_unknown_family_names_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown noise family 'cauchy'.*; known: exponential, gamma, modes, normal"
    ):
        noise("cauchy")


def test_a_standard_deviation_is_positive_and_finite():
    for std in (0.0, -1.0, np.inf):
        with pytest.raises(ValidationError):
            NormalNoise(mean=0, std=std)
