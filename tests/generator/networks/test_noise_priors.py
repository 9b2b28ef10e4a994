import pytest
from pydantic import ValidationError

from xadbench.datasets.rng import stream
from xadbench.generator.networks.noise import NOISES
from xadbench.generator.networks.noise_priors import PAPER_PRIORS, NormalPrior, StudentPrior, UniformPrior

PAPER_RANGES = {
    ("uniform", "low"): (0, 3),
    ("uniform", "width"): (1, 10),
    ("normal", "mean"): (-1, 5),
    ("normal", "std"): (1, 7),
    ("exponential", "scale"): (1, 5),
    ("gamma", "shape"): (1, 5),
    ("gamma", "scale"): (1, 5),
}


def test_every_noise_family_has_a_prior_but_that_of_regimes():
    assert sorted(prior.family for prior in (*PAPER_PRIORS, StudentPrior())) == sorted({*NOISES} - {"modes"})


def test_students_degrees_of_freedom_are_as_given():
    own = StudentPrior(degrees=4, mean=(-2, -1), scale=(2, 3)).draw(stream(0))
    assert own.degrees == 4
    assert -2 <= own.mean <= -1
    assert 2 <= own.scale <= 3


@pytest.mark.parametrize("prior", PAPER_PRIORS, ids=lambda prior: prior.family)
def test_parameters_fill_the_published_ranges(prior):
    draws = [prior.draw(stream(seed)).model_dump(exclude={"family"}) for seed in range(400)]
    for name in draws[0]:
        low, high = PAPER_RANGES[prior.family, name]
        values = [draw[name] for draw in draws]
        margin = 0.05 * (high - low)
        assert low <= min(values) < low + margin
        assert high - margin < max(values) <= high


def test_a_range_ends_after_it_begins():
    with pytest.raises(ValidationError, match="the range ends before it begins"):
        UniformPrior(low=(3, 0))


def test_a_range_of_scales_is_positive():
    with pytest.raises(ValidationError, match="greater than 0"):
        NormalPrior(std=(0, 1))
