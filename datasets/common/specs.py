"""Typed YAML files: read safely, check at birth, and say in one line what is wrong and where."""

from collections import Counter
from collections.abc import Hashable
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .errors import InputError
from .limits import DEPTH, SPEC_BYTES, check_values, read_limited

Spec = TypeVar("Spec", bound=BaseModel)
NAMED, KEY_CHARACTERS = 5, 200  # wrong keys in one line, and of each
# What PyYAML lets slip on scalars that are none of their tag, such as `!!bool maybe` or a 13th month.
SLIPS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # the base class's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        counts = Counter(key for key in keys if isinstance(key, Hashable))  # the others are refused below
        for key, count in counts.most_common(1):
            if count > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r:.60} given twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def read_spec(path: Traversable, model: type[Spec]) -> Spec:
    """Read the YAML file at `path` as a `model`.

    Raises
    ------
    InputError
        If the file cannot be read, is beyond what `limits` has, is not YAML, or does not fit the model; one
        line that names the file, the key and what is accepted.
    """
    try:
        text = read_limited(path, SPEC_BYTES).decode("utf-8")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the path
        raise InputError(f"{path}: cannot be read: {error}") from None
    return build_spec(parse_yaml(text, where=str(path)), model, where=str(path))


def parse_yaml(text: str, where: str) -> Any:
    """Return the values of a YAML text; `InputError` that begins with `where`, as of `read_spec`."""
    try:
        values = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506  # it is a SafeLoader
    except RecursionError:
        raise InputError(f"{where}: nested more than {DEPTH} deep, the limit") from None
    except (yaml.YAMLError, *SLIPS) as error:
        raise InputError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    check_values(values, where)
    return values


def build_spec(values: object, model: type[Spec], where: str) -> Spec:
    """Return `values` as a `model`; `where` names their source in the error."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {_one_line(error, model)}") from None


def _one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """Say the first of the errors, and where the others are."""
    first, *rest = error.errors(include_url=False)
    message = _message(first["type"], first["msg"], first["loc"], model)
    # a list that lost an item to the first error may be too short for that alone
    others = [_key(one) for one in rest if one["loc"] != first["loc"][: len(one["loc"])]]
    further = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    more = f"; also wrong: {', '.join(others[:NAMED])}{further}" if others else ""
    if first["type"] == "value_error" and not first["loc"]:  # about several keys, which it names
        return f"{message}{more}"
    given = "" if first["type"] in {"missing", "extra_forbidden"} else f" (given: {first['input']!r:.80})"
    return f"{_key(first)}: {message}{given}{more}"


def _key(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))[:KEY_CHARACTERS] or "the whole file"


def _message(kind: str, message: str, loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    if kind == "extra_forbidden" and len(loc) == 1:
        return f"unknown key; known: {', '.join(sorted(model.model_fields))}"
    if kind == "extra_forbidden":
        return "unknown key"
    return message.removeprefix("Value error, ")
