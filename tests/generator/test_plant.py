from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.datasets.streams import stream
from xadbench.generator.anomalies import Global, Local, Multiplicative, Source, Swap, check_kinds
from xadbench.generator.plant import Planted, assign, count_anomalies, label, plant

streams = partial(stream, 5)


@pytest.fixture
def source(rng):
    return Source(rng.standard_normal((200, 6)), lambda strength, n: np.full((n, 6), strength))


def planted_in(source, kinds, count):
    return plant(source, kinds, assign(len(source.rows), count, len(kinds), streams("positions")), streams)


def test_anomalies_are_split_evenly_with_the_remainder_first(source):
    planted = planted_in(source, check_kinds(("global", "local", "additive")), 11)
    assert np.bincount(planted.kind).tolist() == [189, 4, 4, 3]


def test_anomalies_are_spread_over_the_rows(source):
    rows = np.flatnonzero(planted_in(source, [Global()], 50).kind)
    assert 80 < rows.mean() < 120
    assert (np.diff(rows) > 1).any()


def test_one_kind_affects_the_same_features_in_every_row(source):
    planted = planted_in(source, [Global()], 50)
    affected = planted.affected[planted.kind == 1]
    assert (affected == affected[0]).all()


def test_another_kind_leaves_affected_features_as_they_are(source):
    alone = planted_in(source, [Local()], 10)
    beside = planted_in(source, [Global(), Local()], 20)
    assert_array_equal(
        alone.affected[alone.kind == 1].any(axis=0), beside.affected[beside.kind == 2].any(axis=0)
    )


def test_a_cell_that_came_out_as_it_was_is_no_culprit():
    clean = np.zeros((2, 2))
    planted = Planted(
        np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([1, 0], np.int8), np.array([[True] * 2, [False] * 2])
    )
    table = label(planted, clean, [Global()], {}, ())
    assert table.mask.tolist() == [[True, False], [False, False]]


def test_a_row_without_culprit_is_refused():
    zeros = np.zeros((1, 2))
    planted = Planted(zeros, np.array([1], np.int8), np.ones((1, 2), bool))
    with pytest.raises(InputError, match="row 0 of kind 'multiplicative' came out as it was"):
        label(planted, zeros, [Multiplicative()], {}, ())


@pytest.mark.parametrize("seed", range(5))
def test_rows_that_a_kind_left_as_they_were_are_drawn_again(rng, seed):
    few = Source(rng.standard_normal((12, 4)), lambda strength, n: np.zeros((n, 4)))
    shares = assign(12, 6, 1, stream(seed))
    planted = plant(few, [Swap()], shares, partial(stream, seed))
    assert (planted.X != few.rows).any(axis=1).sum() == 6


def test_a_ratio_leaves_normal_rows():
    with pytest.raises(InputError, match="leaves no normal row of 71"):
        count_anomalies(0.999, 71, 1)


def test_a_ratio_gives_every_kind_a_row():
    assert count_anomalies(0.05, 100, 5) == 5
    with pytest.raises(
        InputError, match=r"a ratio of 0\.05 gives 5 anomalies in 100 rows; expected at least 6"
    ):
        count_anomalies(0.05, 100, 6)
