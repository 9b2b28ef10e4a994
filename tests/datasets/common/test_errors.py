import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import find


def test_a_known_name_is_found():
    assert find("method", "b", {"a": 1, "b": 2}) == 2


def test_an_unknown_name_names_the_known():
    with pytest.raises(InputError, match="unknown method 'c'; known: a, b"):
        find("method", "c", {"b": 1, "a": 2})
    with pytest.raises(InputError, match=r"unknown method 'c'; known: none$"):
        find("method", "c", {})
