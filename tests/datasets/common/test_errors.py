import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import check_all, find


def test_a_known_name_is_found():
    assert find("method", "b", {"a": 1, "b": 2}) == 2


def test_an_unknown_name_names_the_known():
    with pytest.raises(InputError, match="unknown method 'c'; known: a, b"):
        find("method", "c", {"b": 1, "a": 2})
    with pytest.raises(InputError, match=r"unknown method 'c'; known: none$"):
        find("method", "c", {})


def test_an_unknown_name_is_met_with_what_is_like_it():
    with pytest.raises(
        InputError, match=r"unknown suite 'quik' \(did you mean quick\?\); known: d10, d30, d100, q"
    ):
        find("suite", "quik", dict.fromkeys(["quick", "d100", "d30", "d10"]))


def test_all_faults_are_said_at_once():
    def fail(message):
        raise InputError(message)

    check_all([lambda: None])
    with pytest.raises(InputError, match=r"^a; b$"):
        check_all([lambda: fail("a"), lambda: None, lambda: fail("b"), lambda: fail("a")])
