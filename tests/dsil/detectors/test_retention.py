from math import cos, exp, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xadbench.datasets import InputError
from xadbench.dsil.detectors.retention import RETENTIONS, Cosine, Exponential, Fixed, find_retention

SHARES = st.floats(0.01, 0.99)


def ratios(name, iterations=15):
    return [find_retention(name).ratio(t, iterations) for t in range(iterations)]


@pytest.mark.parametrize(
    ("name", "closed_form"),
    [
        ("fixed", lambda _: 0.5),
        ("cosine", lambda t: 0.5 + 0.15 * (1 + cos(pi * t / 15))),
        ("exponential", lambda t: 0.5 + 0.15 * (1 + exp(-t / 15))),
    ],
)
def test_closed_forms_with_the_papers_ratios(name, closed_form):
    assert ratios(name) == pytest.approx([closed_form(t) for t in range(15)])


def test_cosine_reaches_its_end_and_exponential_does_not():
    assert Cosine().ratio(15, 15) == pytest.approx(0.5)
    assert Exponential().ratio(15, 15) == pytest.approx(0.65 + 0.15 / exp(1))


@given(SHARES, SHARES, st.integers(1, 50))
def test_ratios_run_one_way_between_start_and_end(start, end, iterations):
    for schedule in (Cosine(start, end), Exponential(start, end)):
        path = [schedule.ratio(t, iterations) for t in range(iterations)]
        assert path[0] == pytest.approx(start)
        assert path == sorted(path, reverse=start > end)
        assert all(min(start, end) - 1e-9 <= ratio <= max(start, end) + 1e-9 for ratio in path)


@pytest.mark.parametrize("share", [0, 1, -0.2, float("nan")])
@pytest.mark.parametrize("make", [Fixed, Cosine, Exponential, lambda end: Cosine(0.8, end)])
def test_a_share_outside_0_and_1_is_refused(make, share):
    with pytest.raises(InputError, match="expected a share between 0 and 1"):
        make(share)


def test_a_schedule_stands_for_itself_and_an_unknown_name_names_the_known():
    assert find_retention(own := Fixed(0.3)) is own
    assert set(RETENTIONS) == {"fixed", "cosine", "exponential"}
    with pytest.raises(InputError, match=r"unknown retention 'linear'.*; known: cosine, exponential, fixed"):
        find_retention("linear")
