"""JSON from files that may be anybody's: bounded, each key once, and one error."""

import json
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import Any

from .errors import InputError
from .limits import DEPTH, JSON_BYTES, check_values, read_limited


def read_json(path: Traversable, what: str) -> dict[str, Any]:
    """Return the JSON object in the file at `path`.

    Raises
    ------
    InputError
        "PATH: not WHAT: ...", if the file cannot be read or is no JSON object, a key comes twice, or it is
        beyond what `limits` has.
    """
    try:
        content = read_limited(path, JSON_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{path}: not {what}: {error}") from None
    values = parse_json(content, f"{path}: not {what}")
    if not isinstance(values, dict):
        raise InputError(f"{path}: not {what}: not a JSON object")
    return values


def parse_json(text: str | bytes, where: str) -> Any:
    """Return the values of a JSON text; `InputError` that begins with `where`, as of `read_json`."""
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        values = json.loads(decoded, object_pairs_hook=_each_once)
    except RecursionError:
        raise InputError(f"{where}: nested more than {DEPTH} deep, the limit") from None
    except ValueError as error:
        raise InputError(f"{where}: not valid JSON: {error}") from None
    check_values(values, where)
    return values


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; JSON would silently keep the last of two equal keys."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"key {key!a:.60} given twice")
        values[key] = value
    return values
