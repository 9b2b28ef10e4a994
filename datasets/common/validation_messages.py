"""What pydantic's errors say in plain words: what is expected, without the names of Python's types."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from .names import did_you_mean

# By the type of the error; {names} are those of its context.
EXPECTED: Mapping[str, str] = {
    "missing": "required, but not given",
    "too_short": "expected at least {min_length} item(s)",
    "too_long": "expected at most {max_length} items",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "dict_type": "expected keys with their values",
    "model_type": "expected keys with their values",
    "model_attributes_type": "expected keys with their values",
    "string_type": "expected text",
    "string_too_long": "expected at most {max_length} characters",
    "string_pattern_mismatch": "expected text of the pattern {pattern}",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "date_type": "expected a date, such as 2026-11-30",
    "byte_size": "expected a number of bytes, such as 2 GiB",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than": "expected a number below {lt}",
    "less_than_equal": "expected a number of at most {le}",
    "literal_error": "expected {expected}",
    "union_tag_not_found": "expected a key {discriminator}, which says what it is",
}


def plain_message(error: ErrorDetails) -> str:
    """Return what one of pydantic's errors says, in plain words where they are known."""
    context: dict[str, Any] = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value  # 1, not 1.0
        for name, value in error.get("ctx", {}).items()
    }
    if error["type"] == "union_tag_invalid":
        what, known = context["discriminator"].strip("'"), context["expected_tags"].replace("'", "")
        tag = str(context["tag"])
        return f"unknown {what} {tag!r}{did_you_mean(tag, known.split(', '))}; known: {known}"
    if error["type"] in EXPECTED:
        return EXPECTED[error["type"]].format(**context)
    return error["msg"].removeprefix("Value error, ")
