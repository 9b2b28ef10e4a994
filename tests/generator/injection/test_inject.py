from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets import InputError, LabelledTable
from xadbench.generator import inject
from xadbench.generator.anomalies.registry import KINDS, Additive

CONSTANT = 2  # the constant column of real_table
every_kind = pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"mechanism"}))
both_bases = pytest.mark.parametrize("base", ["rows", "gmm"])


@every_kind
@both_bases
def test_only_masked_cells_differ_from_the_clean_twin(real_table, kind, base):
    table = inject(real_table, [kind], base=base)
    assert_array_equal(table.X != table.clean, table.mask)
    assert table.kinds == ("normal", kind)
    assert table.y.sum() == (14 if kind in {"dependency", "swap"} else 15)


@every_kind
@both_bases
def test_a_constant_feature_is_never_affected(real_table, kind, base):
    for seed in range(2):  # of 15 anomalies each
        table = inject(real_table, [kind], base=base, seed=seed)
        assert (table.X[:, CONSTANT] == real_table.X[0, CONSTANT]).all()
        assert not table.mask[:, CONSTANT].any()


def test_the_clean_twin_is_the_normal_rows(real_table):
    table = inject(real_table)
    assert_array_equal(table.clean, real_table.X[~real_table.y])
    assert table.kinds == ("normal", "global", "local", "additive", "multiplicative")
    assert table.feature_names == real_table.feature_names


def test_the_gmm_base_resembles_the_normal_rows_but_holds_none(real_table):
    clean, real = inject(real_table, base="gmm").clean, real_table.X[~real_table.y]
    varying = [0, 1, 3, 4, 5]
    assert clean.shape == real.shape
    assert not np.isin(clean[:, varying], real[:, varying]).any()
    assert_allclose(clean.std(axis=0), real.std(axis=0), rtol=0.25)
    assert np.corrcoef(clean[:, 0], clean[:, 1])[0, 1] > 0.8


def test_additive_shifts_by_three_standard_deviations_of_each_feature(real_table):
    table = inject(real_table, [Additive(std_in_std=1e-6)])
    std = real_table.X[~real_table.y].std(axis=0)
    shift = (table.X - table.clean) / np.where(std > 0, std, 1)
    assert_allclose(shift[table.mask], 3, rtol=1e-4)


def test_cluster_is_three_times_as_wide(real_table):
    table = inject(real_table, ["cluster"], ratio=0.9)
    real = real_table.X[~real_table.y]
    ratio = table.X[table.y].std(axis=0)[[0, 1, 3, 4, 5]] / real.std(axis=0)[[0, 1, 3, 4, 5]]
    assert_allclose(ratio, 3, rtol=0.2)
    assert (table.mask[table.y].sum(axis=1) == 5).all()


def test_the_seed_decides(real_table):
    assert_array_equal(inject(real_table).X, inject(real_table).X)
    assert (inject(real_table).X != inject(real_table, seed=1).X).any()


def test_provenance_nests_that_of_the_source(real_table):
    provenance = inject(real_table, ["local"], ratio=0.1, seed=4).provenance
    assert provenance["source"] == {"source": "a test"}
    assert [(kind["kind"], kind["strength"]) for kind in provenance["kinds"]] == [("local", 1.05)]
    assert (provenance["base"], provenance["ratio"], provenance["seed"]) == ("rows", 0.1, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ["loud"]}, "unknown anomaly kind 'loud'.*; known: additive"),
        ({"kinds": []}, "no anomaly kind given"),
        ({"ratio": 0.0}, "ratio is 0.0; expected a number between 0 and 1"),
        ({"ratio": 1.0}, "ratio is 1.0; expected a number between 0 and 1"),
        ({"ratio": 0.01}, "a ratio of 0.01 gives 3 anomalies in 300 rows; expected at least 4"),
        ({"base": "kde"}, "unknown base 'kde'.*; known: gmm, rows"),
        ({"seed": -1}, "seed is -1; expected an integer of at least 0"),
    ],
)
def test_bad_arguments_are_refused(real_table, arguments, message):
    with pytest.raises(InputError, match=message):
        inject(real_table, **arguments)


def test_too_few_normal_rows_are_refused(real_table):
    with pytest.raises(InputError, match="the table has 9 distinct normal rows; expected at least 10"):
        inject(real_table.rows(range(291, 320)))


def test_too_few_varying_features_are_refused(real_table):
    X = real_table.X * [0, 1, 0, 0, 0, 0]
    with pytest.raises(InputError, match="column 'b' alone varies among the normal rows"):
        inject(replace(real_table, X=X))


def test_values_beyond_standardising_are_refused():
    X = np.stack([np.where(np.arange(15) % 3, 1e308, 1.1e308), np.arange(15)], axis=1)
    table = LabelledTable(X=X, y=np.zeros(15, bool), feature_names=("big", "small"))
    with pytest.raises(InputError, match="column 'big' is too large to standardise"):
        inject(table, ["global"], ratio=0.2)
