import datetime as dt

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.datasets.common.checks import finite_scores, matrix
from xadbench.datasets.common.values import LARGEST, aligned, labels_of, numbers

DATES = pd.date_range("2020", periods=2)


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        (np.array([[1, LARGEST], [2, LARGEST + 1]]), ("row 1, column 1", "9007199254740993", "2**53")),
        (np.array([[1, 2], [2**63, 1]], dtype=np.uint64), ("row 1, column 0",)),
        ([[0.5, 1.0], [2.0, -LARGEST - 1]], ("row 1, column 1",)),
        (pd.DataFrame({"a": [0.5, 1.0], "id": [LARGEST, LARGEST + 1]}), ("row 1, column 'id'",)),
        (pd.DataFrame({"a": [0.5, 1.0], "id": pd.array([1, None], dtype="Int64")}), ("row 1, column 'id'",)),
        (np.ma.array([[1.0, 2.0], [3.0, 999.0]], mask=[[0, 0], [0, 1]]), ("row 1, column 1", "masked")),
        (np.array([[1 + 2j, 1.0]]), ("row 0, column 0", "complex")),
        ([[1.0, 2.0], [3.0, 1j]], ("row 1, column 1", "complex")),
        (pd.DataFrame({"a": DATES, "b": DATES}), ("row 0, column 'a'", "date")),
        (pd.DataFrame({"a": [1.0, 2.0], "b": DATES}), ("row 0, column 'b'", "date")),
        (pd.DataFrame({"a": [1.0, 2.0], "b": DATES - DATES[0]}), ("row 0, column 'b'", "duration")),
        ([[1.0, dt.date(2020, 1, 1)]], ("row 0, column 1", "date")),
        (np.array([["1_000", "2"]]), ("row 0, column 0", "1_000", "text")),
        ([[1.0, "1_000"]], ("row 0, column 1", "1_000", "text")),
        (pd.DataFrame({"a": [1.0, 2.0], "b": ["3", "4"]}), ("row 0, column 'b'", "text")),
        ([[1.0, None]], ("row 0, column 1", "missing")),
        ([[1.0], [2.0, 3.0]], ("rows of mine",)),
    ],
)
def test_a_value_that_would_change_is_refused_with_its_place(values, facts):
    with pytest.raises(InputError) as error:
        matrix(values, "rows of mine")
    for fact in ("rows of mine", *facts):
        assert fact in str(error.value)


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2.5], [True, np.float32(0.5)]],
        np.array([[LARGEST, -LARGEST]]),
        np.ma.array([[1.0, 2.0]], mask=False),
        pd.DataFrame({"a": [1, 2], "b": [True, False], "c": pd.array([1, 2], dtype="Int64")}),
        [[1e300, 2.0]],
    ],
)
def test_numbers_keep_their_values(values):
    assert_array_equal(numbers(values, "X"), np.asarray(values, dtype=np.float64))


def test_a_frame_and_a_series_are_ordered_by_their_labels():
    frame = pd.DataFrame({"b": [1, 2, 3], "a": [4, 5, 6]}, index=[7, 8, 9])
    rows = pd.Index([9, 7, 8])
    assert_array_equal(aligned(frame, "mask", ("a", "b"), rows), [[6, 3], [4, 1], [5, 2]])
    assert_array_equal(aligned(frame["a"], "y", ("a", "b"), rows), [6, 4, 5])
    assert labels_of(frame).columns == ("b", "a")


def test_what_has_no_labels_is_taken_by_position():
    assert_array_equal(aligned([[1, 2]], "mask", ("b", "a"), pd.Index([5])), [[1, 2]])
    assert_array_equal(aligned(pd.DataFrame([[1, 2]]), "mask", ("b", "a")), [[1, 2]])
    assert labels_of(np.eye(2)) == labels_of([[1]]) == (None, None)


@pytest.mark.parametrize(
    ("values", "columns", "rows", "facts"),
    [
        (pd.DataFrame({"a": [1], "c": [2]}), ("a", "b"), None, ("column labels ['a', 'c']", "['a', 'b']")),
        (pd.DataFrame({"a": [1], "b": [2]}), None, None, ("column labels ['a', 'b']", "none")),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ("a", "b"), None, ("['a', 'a']",)),
        (pd.Series([1, 0], index=[1, 0]), None, None, ("row labels [1, 0]", "none", "to_numpy()")),
        (pd.Series([1, 0], index=[1, 2]), None, pd.Index([1, 3]), ("row labels [1, 2]", "[1, 3]")),
        (pd.Series([1, 0], index=[1, 1]), None, pd.Index([1, 2]), ("row labels [1, 1]",)),
    ],
)
def test_labels_that_are_not_those_expected_are_refused(values, columns, rows, facts):
    with pytest.raises(InputError) as error:
        aligned(values, "mask", columns, rows)
    for fact in ("mask", *facts):
        assert fact in str(error.value)


def test_scores_in_an_order_of_their_own_are_refused():
    with pytest.raises(InputError, match=r"scores of mine.*row labels \[1, 0\]"):
        finite_scores(pd.Series([0.5, 1.0], index=[1, 0]), 2, "mine")
