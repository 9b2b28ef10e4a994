import pytest

from xadbench.datasets.common.names import did_you_mean, natural_order


def test_names_are_sorted_as_people_count():
    names = ["d100-x", "d30", "d10", "z", "d30-1000", "d30-2", "10", "9", "²"]
    assert natural_order(names) == ["9", "10", "d10", "d30", "d30-2", "d30-1000", "d100-x", "z", "²"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("quik", ["quick"]), ("QUICK", ["quick"]), ("xyz", []), ("ful", ["full"]), (3, []), ("q" * 10**6, [])],
)
def test_a_slip_is_met_with_what_is_like_it(name, expected):
    hint = did_you_mean(name, ["quick", "full", "contextual"])
    assert [one for one in ("quick", "full", "contextual") if one in hint] == expected


def test_numbers_of_any_length_are_sorted():
    names = ["d" + "1" * 5001, "d" + "2" * 5000, "d007", "d7", "d8"]
    assert natural_order(names) == ["d007", "d7", "d8", "d" + "2" * 5000, "d" + "1" * 5001]
