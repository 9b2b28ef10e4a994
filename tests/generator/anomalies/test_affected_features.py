import numpy as np
import pytest
from pydantic import ValidationError

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.anomalies.affected_features import AffectedSets


def draws(sets, n_features=20, least=1, neighbours=None):
    return [sets.draw(n_features, least, stream(seed), neighbours) for seed in range(200)]


def sizes(sets, **arguments):
    return {len(own) for own in draws(sets, **arguments)}


def test_a_range_gives_every_size_in_it():
    assert sizes(AffectedSets(size=(2, 4))) == {2, 3, 4}


def test_a_kinds_least_number_counts():
    assert sizes(AffectedSets(size=(1, 3)), least=2) == {2, 3}


def test_a_range_stops_at_all_features():
    assert sizes(AffectedSets(size=(1, 9)), n_features=3) == {1, 2, 3}


def test_a_fraction_is_of_the_features():
    assert sizes(AffectedSets(fraction=0.25)) == {5}


def test_along_the_graph_a_node_comes_with_members_of_its_blanket():
    ring = draws(
        AffectedSets(size=(3, 3), along="graph"),
        20,
        neighbours=lambda i: np.array([(i - 1) % 20, (i + 1) % 20]),
    )
    assert all({1, 2} & set(np.diff(own) % 20) for own in ring)
    assert {len(own) for own in ring} == {3}
    lonely = draws(AffectedSets(size=(3, 3), along="graph"), 20, neighbours=lambda i: np.array([], dtype=int))
    assert {len(own) for own in lonely} == {1}


def test_along_the_graph_needs_one():
    with pytest.raises(InputError, match="need a network; expected along: any"):
        AffectedSets(along="graph").draw(5, 1, stream(0))


@pytest.mark.parametrize(
    "wrong",
    [{"size": (3, 2)}, {"size": (0, 2)}, {"fraction": 0}, {"size": (1, 2), "fraction": 0.5}, {"per": "day"}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        AffectedSets(**wrong)
