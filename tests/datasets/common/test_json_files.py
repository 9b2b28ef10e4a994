"""JSON that may be anybody's: refused in one line where it is too deep."""

import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.json_files import parse_json


@pytest.mark.parametrize("opening", ["[", '{"a": '])
@pytest.mark.parametrize("depth", [101, 1_000_000])
def test_deep_json_is_refused_with_the_limit(opening, depth):
    closing = "]" if opening == "[" else "}"
    with pytest.raises(InputError, match=r"^a\.json: nested more than 100 deep, the limit$"):
        parse_json(opening * depth + "1" + closing * depth, "a.json")
