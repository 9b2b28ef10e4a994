from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator import generate
from xadbench.generator.anomalies.insertion import (
    REDRAWS,
    Effort,
    Planted,
    Planting,
    assign,
    count_anomalies,
    label,
    plant,
)
from xadbench.generator.anomalies.registry import Global, Local, Multiplicative, Source, check_kinds
from xadbench.generator.recipe import Recipe

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
    published = Global(affected={"per": "kind"})
    affected = planted_in(source, [published], 50).affected
    assert len(np.unique(affected[affected.any(axis=1)], axis=0)) == 1


def test_every_row_has_affected_features_of_its_own(source):
    affected = planted_in(source, [Global()], 50).affected
    assert len(np.unique(affected[affected.any(axis=1)], axis=0)) > 5


def test_another_kind_leaves_affected_features_as_they_are(source):
    alone = planted_in(source, [Local()], 10)
    beside = planted_in(source, [Global(), Local()], 20)
    assert_array_equal(
        alone.affected[alone.kind == 1].any(axis=0), beside.affected[beside.kind == 2].any(axis=0)
    )


def test_a_cell_that_came_out_as_it_was_is_no_ground_truth():
    clean = np.zeros((2, 2))
    planted = Planted(
        np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([1, 0], np.int8), np.array([[True] * 2, [False] * 2])
    )
    table = label(planted, clean, [Global()], {}, ())
    assert table.mask.tolist() == [[True, False], [False, False]]


def test_a_row_without_ground_truth_is_refused():
    zeros = np.zeros((1, 2))
    planted = Planted(zeros, np.array([1], np.int8), np.ones((1, 2), bool))
    with pytest.raises(InputError, match="row 0 of kind 'multiplicative' came out as it was"):
        label(planted, zeros, [Multiplicative()], {}, ())


CLEAN, BOTH = np.zeros((1, 2)), np.ones((1, 2), bool)


class Drawn(Planting):
    """Planting whose draws are those given, one after the other."""

    def draw(self, rows, affected):
        return np.array([next(self.rng)], dtype=float)

    def stretched(self, values, clean):
        return 100 + values


def settled(kind, draws, effort, least=1.0):
    source = Source(CLEAN, lambda strength, n: np.zeros((n, 2)))
    return Drawn(kind, source, iter(draws), np.full(2, least), effort).anomalies(np.array([0]), BOTH)


def test_a_cell_that_moves_too_little_is_drawn_again_alone():
    effort = Effort()
    found = settled(Global(), [[5, 0.01], [7, 3]], effort)
    assert found.tolist() == [[5, 3]]
    assert effort == Effort(redrawn=1)


def test_values_that_belong_together_are_drawn_again_together():
    found = settled(Local(), [[5, 0.01], [7, 3]], Effort())
    assert found.tolist() == [[7, 3]]


def test_what_never_moves_enough_is_stretched():
    effort = Effort()
    found = settled(Global(), [[5, -0.5]] * (REDRAWS + 1), effort)
    assert found.tolist() == [[5, 99.5]]
    assert effort == Effort(redrawn=REDRAWS, stretched=1)


def test_without_a_least_change_any_change_will_do():
    found = settled(Global(), [[1e-9, 0], [2, -1e-9]], Effort(), least=0.0)
    assert found.tolist() == [[1e-9, -1e-9]]


@pytest.mark.parametrize("kind", ["global", "local", "additive", "multiplicative", "dependency", "swap"])
def test_every_affected_cell_moves_by_the_least_change(kind):
    spec = {"kind": kind, "least_change": 0.3, "affected": {"size": [2, 5]}}
    graph = {"nodes": 6, "edges": 5}
    table = generate(
        Recipe.model_validate(
            {"name": "r", "rows": 900, "anomaly_ratio": 0.3, "graph": graph, "anomalies": [spec]}
        )
    )
    change = np.abs(table.X - table.clean) / table.clean.std(axis=0)
    assert change[table.mask].min() > 0.3
    assert set(table.mask[table.y].sum(axis=1)) == {2, 3, 4, 5}


def test_a_ratio_leaves_normal_rows():
    with pytest.raises(InputError, match="leaves no normal row of 71"):
        count_anomalies(0.999, 71, 1)


def test_a_ratio_gives_every_kind_a_row():
    assert count_anomalies(0.05, 100, 5) == 5
    with pytest.raises(
        InputError, match=r"a ratio of 0\.05 gives 5 anomalies in 100 rows; expected at least 6"
    ):
        count_anomalies(0.05, 100, 6)
