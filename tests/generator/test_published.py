"""`protocol: published`: the set-up of the paper's tables where ours differs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import build_spec
from xadbench.generator import generate, inject, with_rows
from xadbench.generator.anomalies.published import as_published
from xadbench.generator.anomalies.registry import Additive, Global, Local
from xadbench.generator.recipe import Recipe
from xadbench.generator.simulation import build_network


def recipe(kinds=("global", "local"), nodes=10, rows=400, protocol="published"):
    values = {
        "name": "small",
        "rows": rows,
        "anomaly_ratio": 0.2,
        "protocol": protocol,
        "graph": {"nodes": nodes, "edges": 3},
        "anomalies": kinds,
    }
    return build_spec(values, Recipe, where="small")


def affected_sets(table, label):
    return np.unique(table.mask[table.kind == label], axis=0)


def test_all_seeds_have_the_same_network_and_affected_sets_and_other_rows():
    first, second = generate(recipe(), 3), generate(recipe(), 4)
    one, two = build_network(recipe(), 3), build_network(recipe(), 4)
    assert one.noise == two.noise
    assert one.terms == two.terms
    for label in (1, 2):
        assert len(affected_sets(first, label)) == 1
        assert_array_equal(affected_sets(first, label), affected_sets(second, label))
    assert not np.isin(first.clean, second.clean).any()


def test_without_it_seeds_have_networks_of_their_own():
    own = recipe(protocol=None)
    assert build_network(own, 3).noise != build_network(own, 4).noise
    assert len(affected_sets(generate(own, 3), 1)) > 1


@pytest.mark.parametrize(
    ("kind", "n_features", "size"),
    [
        (Global, 4, (1, 1)),
        (Global, 5, (1, 1)),
        (Global, 6, (1, 2)),
        (Global, 10, (1, 4)),
        (Additive, 50, (1, 24)),
        (Local, 2, (2, 2)),
        (Local, 4, (3, 3)),
        (Local, 6, (2, 2)),
        (Local, 10, (2, 4)),
    ],
)
def test_a_kind_affects_as_many_features_as_published(kind, n_features, size):
    published = as_published(kind(), n_features)
    assert published.affected.size == size
    assert published.affected.per == "kind"
    assert published.least_change == 0


def test_global_affects_one_feature_of_four():
    assert generate(recipe(["global"], nodes=4)).mask.sum(axis=1).max() == 1


def test_a_size_that_is_given_is_kept():
    given = {"kind": "global", "affected": {"size": [3, 3]}}
    assert generate(recipe([given])).mask.sum(axis=1).max() == 3


def test_statistics_are_of_rows_with_the_anomalies_of_earlier_kinds():
    everywhere = {"fraction": 1.0}
    shifted = {"kind": "additive", "affected": everywhere, "strength": 100}
    then = {"kind": "global", "affected": everywhere}
    contaminated = generate(recipe([shifted, then]))
    clean = generate(recipe([then, shifted]))
    first, second = (table.X[table.kind == table.kinds.index("global")] for table in (contaminated, clean))
    assert (first.max(axis=0) > 10 * second.max(axis=0)).all()
    assert (second.max(axis=0) <= 1.025 * clean.clean.max(axis=0)).all()


def test_a_recipe_survives_another_number_of_rows_and_its_own_file():
    fewer = with_rows(recipe(), 200)
    assert fewer.anomalies == recipe().anomalies
    assert Recipe.model_validate(fewer.model_dump(mode="json")) == fewer


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"rows": 9000}, ["protocol", "9000", "8192"]),
        ({"protocol": "paper"}, ["protocol", "'published'"]),
        ({"kinds": [{"kind": "global", "affected": {"per": "row"}}]}, ["anomalies", "global", "per: kind"]),
    ],
)
def test_what_cannot_be_published_gives_one_line(changes, facts):
    with pytest.raises(InputError) as caught:
        recipe(**changes)
    assert all(fact in str(caught.value) for fact in ["small", *facts])
    assert "\n" not in str(caught.value)


def test_local_on_a_mixture_widens_variances_and_not_covariances(rng):
    X = rng.standard_normal((3000, 3))
    X[:, 1] = X[:, 0] + 0.05 * X[:, 1]  # nearly equal
    settings = {"kinds": [Local(strength=3.0)], "ratio": 0.3, "base": "gmm"}
    table = inject(X, protocol="published", **settings)
    change, clean = (table.X - table.clean)[table.y], table.clean[table.y]
    for i in np.flatnonzero(table.mask.any(axis=0)):
        assert abs(np.corrcoef(change[:, i], clean[:, i])[0, 1]) < 0.15
        assert_allclose(change[:, i].std() / X[:, i].std(), np.sqrt(2.0), rtol=0.15)


def test_local_cannot_narrow_a_mixture(rng):
    X = rng.standard_normal((200, 3))
    with pytest.raises(InputError, match=r"local has strength 0\.5; expected at least 1"):
        inject(X, kinds=[Local(strength=0.5)], ratio=0.2, base="gmm", protocol="published")
