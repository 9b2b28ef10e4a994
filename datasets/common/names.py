"""Names that people read and type: sorted as they count, and found despite a slip."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

CLOSEST = 3  # as many names as a message suggests


def natural_order(names: Iterable[object]) -> list[str]:
    """Return names sorted as people count.

    Examples
    --------
    >>> from xadbench.datasets.common.names import natural_order
    >>> natural_order(["d100", "d30", "d10"])
    ['d10', 'd30', 'd100']
    """
    return sorted(map(str, names), key=_natural_key)


def _natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return what sorts a name by its words and numbers; the name itself tells `d1` from `d01`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [_number(part.lstrip("0")) if part[0] in "0123456789" else (1, 0, part) for part in parts], name


def _number(digits: str) -> tuple[int, int, str]:
    """Return what sorts a number of any length, which `int` would refuse, without leading zeros."""
    return 0, len(digits), digits


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return the question that suggests the known names like this one; empty where none is like it.

    Examples
    --------
    >>> from xadbench.datasets.common.names import did_you_mean
    >>> did_you_mean("quik", ["full", "quick"])
    ' (did you mean quick?)'
    """
    by_lower_case = {str(one).lower(): str(one) for one in known}
    close = get_close_matches(str(name)[:200].lower(), by_lower_case, n=CLOSEST)
    return f" (did you mean {' or '.join(by_lower_case[one] for one in close)}?)" if close else ""
