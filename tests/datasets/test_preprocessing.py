import numpy as np
import pytest
from numpy.testing import assert_allclose

from xadbench.datasets import InputError, LabelledTable, resize, standardise
from xadbench.datasets.preprocessing import semi_supervised_split
from xadbench.datasets.rng import stream


def rows(n):
    return LabelledTable(X=np.arange(n, dtype=float)[:, None], y=np.zeros(n, dtype=bool))


@pytest.mark.parametrize(
    ("given", "expected"), [(10, 1_000), (1_000, 1_000), (2_000, 2_000), (50_001, 50_000)]
)
def test_size_rules(given, expected):
    assert resize(rows(given), stream(0, "t")).n_rows == expected


def test_small_tables_repeat_rows_and_large_ones_do_not():
    assert set(resize(rows(10), stream(0, "t")).X.ravel()) == set(range(10))
    assert len(np.unique(resize(rows(60_000), stream(0, "t")).X)) == 50_000


def test_tables_of_usual_size_are_left_alone():
    table = rows(1_500)
    assert resize(table, stream(0, "t")) is table


def test_standardised_features_have_mean_0_and_std_1(table):
    X = standardise(table).X
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1)


def test_the_clean_twin_goes_through_the_same_map(table):
    after = standardise(table)
    np.testing.assert_array_equal(after.moved, table.moved)


def test_a_constant_feature_becomes_zero():
    X = np.column_stack([np.full(5, 3.0), np.arange(5)])
    assert not standardise(LabelledTable(X=X, y=[0] * 5)).X[:, 0].any()


def test_training_rows_may_fix_the_standardising():
    training, table = rows(11), rows(3)
    X = standardise(table, training).X
    np.testing.assert_allclose(X.ravel(), (np.arange(3) - 5) / np.arange(11).std())


def test_half_of_the_normal_rows_train_and_all_others_test():
    y = np.arange(21) % 3 == 0  # 7 anomalies, 14 normal rows
    table = LabelledTable(X=np.arange(21, dtype=float)[:, None], y=y)
    training, test = semi_supervised_split(table, stream(0, "t"))
    assert (training.n_rows, test.n_rows) == (7, 14)
    assert not training.y.any()
    assert test.y.sum() == 7
    assert sorted([*training.X.ravel(), *test.X.ravel()]) == list(range(21))
    other = semi_supervised_split(table, stream(1, "t"))[0]
    assert set(other.X.ravel()) != set(training.X.ravel())


@pytest.mark.parametrize("y", [[0] * 9, [1] * 6 + [0] * 3])
def test_a_split_needs_normal_rows_and_anomalies(y):
    table = LabelledTable(X=np.arange(9, dtype=float)[:, None], y=y)
    with pytest.raises(InputError, match="at least 4 normal rows and an anomaly"):
        semi_supervised_split(table, stream(0, "t"))


def test_training_rows_are_taken_by_the_names_of_their_features(table):
    shuffled = table.to_pandas()[["c", "a", "b"]][::-1]
    expected = standardise(table).X
    assert_allclose(standardise(table, shuffled).X, expected)
    assert_allclose(standardise(table, LabelledTable(X=shuffled, y=np.zeros(6))).X, expected)
    with pytest.raises(InputError, match=r"training has the column labels \['c', 'a'\]"):
        standardise(table, shuffled[["c", "a"]])
