import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.anomalies.registry import (
    KINDS,
    Additive,
    CellKind,
    Donors,
    Global,
    Local,
    Multiplicative,
    Source,
    anomaly,
    check_kinds,
)

N, D = 400, 5
AFFECTED = np.array([1, 3])
every_kind = pytest.mark.parametrize("name", sorted(KINDS))
every_cell_kind = pytest.mark.parametrize(
    "name", sorted(k for k, own in KINDS.items() if issubclass(own, CellKind))
)


def default(name):
    return anomaly(name).model_validate({})


@pytest.fixture
def source():
    rng = stream(0, "source")
    rows = 2 + rng.standard_normal((N, D)) * [1, 2, 3, 4, 5]
    rows[:, 3] += rows[:, 1]
    donors = Donors(2 + rng.standard_normal((N, D)))
    return Source(rows, lambda strength, n: np.full((n, D), strength), donors=donors)


def changed(kind, source, n=4000, seed=0):
    rows = np.resize(source.rows, (n, D))
    return rows[:, AFFECTED], kind.apply(rows, AFFECTED, source, stream(seed))[:, AFFECTED]


@every_cell_kind
def test_only_affected_columns_change(name, source):
    result = default(name).apply(source.rows, AFFECTED, source, stream(1))
    differs = result != source.rows
    assert differs[:, AFFECTED].all()
    assert not np.delete(differs, AFFECTED, axis=1).any()


@every_cell_kind
def test_the_source_keeps_its_rows(name, source):
    before = source.rows.copy()
    default(name).apply(source.rows, AFFECTED, source, stream(1))
    assert_array_equal(source.rows, before)


@every_kind
@given(n_features=st.integers(2, 60), seed=st.integers(0, 1000))
def test_affected_features_are_distinct_and_as_many_as_allowed(name, n_features, seed):
    affected = default(name).draw_affected(n_features, stream(seed))
    least, most = {"cluster": (n_features, n_features), "local": (2, 3)}.get(name, (1, 2))
    if name != "cluster":
        most = min(max(most, n_features // 2 - 1), n_features)
    assert least <= len(affected) <= most
    assert (np.diff(affected) > 0).all()
    assert affected[-1] < n_features


@pytest.mark.parametrize(
    ("name", "n_features", "sizes"),
    [
        ("global", 10, {1, 2, 3, 4}),
        ("local", 10, {2, 3, 4}),
        ("global", 4, {1, 2}),
        ("local", 4, {2, 3}),
        ("local", 2, {2}),
    ],
)
def test_every_size_of_the_affected_set_comes_up(name, n_features, sizes):
    assert {len(default(name).draw_affected(n_features, stream(seed))) for seed in range(100)} == sizes


def test_cluster_redraws_from_the_multiplied_model(source):
    _, after = changed(default("cluster"), source)
    assert (after == 3).all()


@pytest.mark.parametrize("seed", range(3))
def test_global_fills_the_widened_range_of_the_data(source, seed):
    _, after = changed(default("global"), source, seed=seed)
    low, high = 1.025 * source.rows[:, AFFECTED].min(axis=0), 1.025 * source.rows[:, AFFECTED].max(axis=0)
    assert (after >= low).all()
    assert (after <= high).all()
    assert_allclose(np.ptp(after, axis=0), high - low, rtol=0.01)
    assert_allclose(after.mean(axis=0), (low + high) / 2, atol=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_local_has_the_mean_and_the_widened_covariance_of_the_data(source, seed):
    _, after = changed(Local(strength=2.0), source, n=20_000, seed=seed)
    data = source.rows[:, AFFECTED]
    assert_allclose(after.mean(axis=0), data.mean(axis=0), atol=0.25)
    assert_allclose(np.cov(after.T), 2.0 * np.cov(data.T), rtol=0.12)


def test_local_rows_are_drawn_independently(source):
    _, after = changed(default("local"), source, n=20_000)
    assert abs(np.corrcoef(after[:-1, 0], after[1:, 0])[0, 1]) < 0.05


def test_additive_shifts_by_about_three_joint_standard_deviations(source):
    before, after = changed(default("additive"), source)
    shift, s = after - before, source.rows[:, AFFECTED].std()
    assert_allclose(shift.mean(axis=0), 3 * s, rtol=0.05)
    assert_allclose(shift.std(axis=0), s, rtol=0.05)


def test_multiplicative_multiplies_by_about_half_a_joint_standard_deviation(source):
    before, after = changed(default("multiplicative"), source)
    factor, s = after / before, source.rows[:, AFFECTED].std()
    assert_allclose(factor.mean(axis=0), 0.5 * s, rtol=0.05)
    assert_allclose(factor.std(axis=0), 0.3, rtol=0.05)


def test_strengths_are_parameters(source):
    before, after = changed(Additive(mean_in_std=-6, std_in_std=0.01), source)
    assert (after - before < 0).all()
    _, after = changed(Global(strength=10), source)
    assert abs(after).max() > 5 * abs(source.rows[:, AFFECTED]).max()
    before, after = changed(Multiplicative(mean_in_std=0, std=1e-9), source)
    assert_allclose(after, 0, atol=1e-6)


@pytest.mark.parametrize("strength", [0, -1, np.inf])
def test_a_strength_is_positive_and_finite(strength):
    with pytest.raises(ValidationError):
        Local(strength=strength)


@every_kind
def test_the_registry_finds_a_kind_by_its_name(name):
    assert default(name).kind == name


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown anomaly kind 'loud'.*; known: additive, cluster, dependency, global"
    ):
        anomaly("loud")


def test_kinds_are_names_or_models():
    assert check_kinds(["local", Additive()]) == (Local(), Additive())


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ((), "no anomaly kind given; expected one or more of additive, cluster"),
        (("local", Local(strength=2)), "anomaly kinds local, local; expected each at most once"),
        (("lokal",), "unknown anomaly kind 'lokal'"),
    ],
)
def test_bad_lists_of_kinds_are_refused(kinds, message):
    with pytest.raises(InputError, match=message):
        check_kinds(kinds)
