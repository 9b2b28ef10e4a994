import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.checks import at_least, check_columns, matrix


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0], [np.nan]], r"X has 1 value\(s\) that are NaN or infinite; first: row 1, column 0"),
        ([[np.inf, 0.0]] * 2, r"X has 2 value\(s\)"),
        ([1.0, 2.0], r"X has shape \(2,\), expected \(n, d\) with n >= 2"),
        ([[1.0, 2.0]], r"X has shape \(1, 2\), expected"),
        (np.empty((3, 0)), r"X has shape \(3, 0\), expected"),
        ([["a"], ["b"]], "X is not an array of numbers"),
    ],
)
def test_a_bad_matrix_is_named_in_one_line(X, message):
    with pytest.raises(InputError, match=message) as error:
        matrix(X, min_rows=2)
    assert "\n" not in str(error.value)


def test_a_good_matrix_comes_back_as_float64():
    assert matrix([[1, 2]]).dtype == np.float64


@pytest.mark.parametrize("value", [0, 1.5, "3", None])
def test_a_bad_count_is_named(value):
    with pytest.raises(InputError, match=r"n_nodes is .*, expected an integer of at least 1"):
        at_least(1, n_nodes=value)


def test_other_columns_than_at_fit_are_refused():
    with pytest.raises(InputError, match=r"X has 3 column\(s\), expected 2 as at fit"):
        check_columns(3, 2)
