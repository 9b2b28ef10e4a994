"""Domains of columns: new values are written, bounded and shared as those seen are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.rng import stream
from xadbench.generator.injection.feature_types import Columns, Domain, fold
from xadbench.generator.injection.lattice import Lattice, n_decimals, significant_digits

RNG = stream(0, "columns")
Z = RNG.standard_normal(2000)
COUNTS = np.floor(np.abs(Z) * 8)
COLUMNS = {
    "integers": COUNTS,
    "tens": 10 * COUNTS,
    "two decimals": np.round(Z, 2),
    "standardised integers": (COUNTS - COUNTS.mean()) / COUNTS.std(),
    "single precision": Z.astype(np.float32).astype(float),
    "seven digits": np.array([float(f"{z:.7g}") for z in 1e3 * Z]),
}


def drawn(cells, values, *, in_range=True):
    return Domain.of(cells).nearest(np.asarray(values, dtype=float), stream(1), in_range=in_range)


@pytest.mark.parametrize("name", COLUMNS)
def test_new_values_lie_on_the_lattice_of_those_seen(name):
    cells = COLUMNS[name]
    new = drawn(cells, cells.std() * stream(2).standard_normal(500) + cells.mean(), in_range=False)
    before, after = Lattice.of(np.unique(cells)), Lattice.of(np.unique(np.concatenate([cells, new])))
    assert_allclose(after.step, before.step, rtol=1e-9)
    assert (after.single, after.decimals is None) == (before.single, before.decimals is None)
    longer = [significant_digits(value) > max(map(significant_digits, cells)) for value in new]
    assert np.mean(longer) < 0.02  # where the decimals of the values seen change


@pytest.mark.parametrize("name", COLUMNS)
def test_new_values_have_as_many_digits_as_those_seen(name):
    cells = COLUMNS[name]
    new = drawn(cells, stream(3).choice(cells, 1000) + 1e-3 * stream(4).standard_normal(1000))
    shares = [
        np.bincount(list(map(significant_digits, own)), minlength=18) / len(own) for own in (cells, new)
    ]
    assert_allclose(*shares, atol=0.06)


def test_a_column_of_mixed_decimals_keeps_their_shares():
    rare, short = RNG.random(4000) < 0.1, RNG.random(4000) < 0.5
    parts = np.round(RNG.random(4000), 5), np.round(RNG.random(4000), 1), np.round(RNG.random(4000), 2)
    new = drawn(np.where(rare, parts[0], np.where(short, *parts[1:])), RNG.random(2000))
    assert np.mean([n_decimals(value) > 2 for value in new]) == pytest.approx(0.1, abs=0.06)


def test_binary_fractions_among_long_decimals_are_taken_for_some():
    means = np.where(RNG.random(3000) < 0.3, np.round(512 * RNG.random(3000)) / 64, 0)
    cells = np.where(means == 0, np.round(8 * RNG.random(3000), 9), means)
    new = drawn(cells, RNG.choice(cells, 1000) + 0.01)
    exact = [np.mean(own == own.astype(np.float32)) for own in (cells, new)]
    assert exact[0] > 0.2
    assert exact[1] == pytest.approx(exact[0], abs=0.08)


def test_codes_and_few_levels_are_closed():
    codes = RNG.choice([5411.0, 5812, 5999, 7995], 500)
    many = RNG.choice(np.array([1.0, 17, 401, 402, 999, 1200, 5005, 5411, 5812, 5999, 7995, 8699]), 5000)
    for cells in (codes, many):
        assert set(drawn(cells, RNG.uniform(0, 9000, 300), in_range=False)) <= set(cells)


def test_a_column_of_one_sign_keeps_it():
    amounts = np.exp(Z)
    assert drawn(amounts, [-38.0], in_range=False).tolist() == [38.0]
    assert drawn(-amounts, [38.0], in_range=False).tolist() == [-38.0]


def test_a_bound_that_many_rows_hold_is_not_passed():
    percent = np.clip(50 + 40 * Z, 0, 100)
    assert drawn(percent, [130.0], in_range=False)[0] <= 100
    assert drawn(50 + 10 * Z, [130.0], in_range=False)[0] == 130


def test_a_value_near_one_that_many_cells_hold_is_that():
    cells = np.where(RNG.random(2000) < 0.7, 0.0, 5 + np.abs(Z))
    new = drawn(cells, [0.3, 6.123456789012345])
    assert new[0] == 0
    assert new[1] != 0


def test_a_value_between_those_seen_once_stays_as_it_is():
    assert drawn(Z, [0.123456789012345]).tolist() == [0.123456789012345]


@given(st.floats(-1e6, 1e6), st.floats(-100, 100), st.floats(0.1, 100))
def test_folding_ends_between_the_bounds_and_leaves_what_is_there(value, low, width):
    folded = fold(np.array([value]), low, low + width)[0]
    assert low <= folded <= low + width
    if low <= value <= low + width:
        assert folded == value


def test_folding_mirrors_at_the_bound():
    assert fold(np.array([-38.0, 5.0]), 0.0, np.inf).tolist() == [38, 5]
    assert fold(np.array([12.0, 23.0]), 0.0, 10.0).tolist() == [8, 3]


@given(st.integers(0, 10_000))
def test_away_is_at_least_so_far_away_and_in_the_domain(seed):
    rng = stream(seed)
    cells = [np.round(rng.standard_normal(50), 1), np.floor(3 * rng.random(50)), rng.standard_normal(50)]
    for column in cells:
        domain = Domain.of(column)
        clean = rng.choice(column, 20)
        least = 0.1 * column.std()
        moved = domain.away(clean + rng.standard_normal(20), clean, least, rng)
        assert (np.abs(moved - clean) >= least).all()
        assert (moved != clean).all()
        assert moved.min() >= column.min()
        assert moved.max() <= column.max()


def test_away_takes_the_farthest_value_where_none_is_far_enough():
    domain = Domain.of(np.array([0.0, 1.0, 0.0, 1.0]))
    assert domain.away(np.array([0.2]), np.array([0.0]), 5.0, stream(0)).tolist() == [1]


def test_rows_of_a_model_take_few_levels_as_often_as_real_rows_do():
    rows = np.stack([(Z > 1.5).astype(float), Z], axis=1)
    columns = Columns.of(rows, "ab")
    simulated = columns.simulated(stream(5).standard_normal((2000, 2)), stream(6))
    assert_array_equal(np.sort(simulated[:, 0]), np.sort(rows[:, 0]))


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.30000000000000004], [1.0, 1.0 + 2**-52, 2.0]])
def test_values_written_differently_are_one_point(values):
    assert Lattice.of(np.array(values)).step == pytest.approx(values[-1] - values[-2])
