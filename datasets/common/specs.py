"""Typed YAML files: read safely, check at birth, and say in one line all that is wrong, and where."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import deepcopy
from importlib.resources.abc import Traversable
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .errors import InputError
from .limits import DEPTH, INTEGER_BITS, SPEC_BYTES, check_values, read_limited
from .names import did_you_mean, natural_order
from .validation_messages import plain_message

Spec = TypeVar("Spec", bound=BaseModel)
NAMED, KEY_CHARACTERS = 5, 200  # faults in one line, and of each one's key
SAID = 500  # characters of what PyYAML says, which repeats names of any length
HASHED_BITS = 61  # integers below 2**61 - 1 have hashes of their own; a million larger ones may share one
# What PyYAML lets slip on scalars that are none of their tag, such as `!!bool maybe` or a 13th month.
SLIPS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader in linear time that refuses a key given twice, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # the base class's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if any(isinstance(key, int) and key.bit_length() >= HASHED_BITS for key in keys):
            raise yaml.constructor.ConstructorError(
                None, None, f"a key that is an integer of more than {HASHED_BITS - 1} bits", node.start_mark
            )
        counts = Counter(key for key in keys if isinstance(key, Hashable))  # the others are refused below
        for key, count in counts.most_common(1):
            if count > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r:.60} given twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Refuse what is too long before it is converted: of base 60, `1:59:59`, that takes squared time."""
        if len(node.value) > 2 * INTEGER_BITS:  # with underscores between its digits
            raise ValueError(
                f"an integer of {len(node.value)} characters; expected at most {INTEGER_BITS} bits"
            )
        return super().construct_yaml_int(node)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:int", _UniqueKeyLoader.construct_yaml_int)


def read_spec(path: Traversable, model: type[Spec], further: Callable[[Spec], object] | None = None) -> Spec:
    """Read the YAML file at `path` as a `model`.

    Where the file does not fit the model, `further` checks what is left without the faulty keys, so that one
    error says all that is wrong.

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
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # no UTF-8, or a NUL in the path
        raise InputError(f"{path}: cannot be read: {error}") from None
    return build_spec(parse_yaml(text, where=str(path)), model, str(path), further)


def parse_yaml(text: str, where: str) -> Any:
    """Return the values of a YAML text; `InputError` that begins with `where`, as of `read_spec`."""
    try:
        values = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506  # it is a SafeLoader
    except RecursionError:
        raise InputError(f"{where}: nested more than {DEPTH} deep, the limit") from None
    except (yaml.YAMLError, *SLIPS) as error:
        raise InputError(f"{where}: not valid YAML: {' '.join(str(error).split())[:SAID]}") from None
    check_values(values, where)
    return values


def build_spec(
    values: object, model: type[Spec], where: str, further: Callable[[Spec], object] | None = None
) -> Spec:
    """Return `values` as a `model`; `where` names their source in the error; `further` as of `read_spec`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        more = _further(values, error, model, further) if further else ""
        raise InputError(f"{where}: {_one_line(error, model)}{more}") from None


def _further(
    values: object, error: ValidationError, model: type[Spec], check: Callable[[Spec], object]
) -> str:
    """Return what a check finds in what is left without the faulty keys; nothing where too little is left."""
    left = deepcopy(values)
    for fault in error.errors(include_url=False):
        if fault["loc"]:
            _drop(left, fault["loc"])
    try:
        check(model.model_validate(left))
    except ValidationError:
        return ""
    except InputError as found:
        return f"; {found}"
    return ""


def _drop(values: Any, path: Sequence[int | str]) -> None:
    """Delete the key at a path; a path that is not there, such as one through a union's tag, is left."""
    *way, key = path
    for part in way:
        try:
            values = values[part]
        except (LookupError, TypeError):
            return
    if isinstance(values, dict):
        values.pop(key, None)


def _one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """Say all that is wrong, up to so many faults."""
    faults, places = list[ErrorDetails](), set[tuple[int | str, ...]]()
    for one in error.errors(include_url=False):
        # a list that lost an item to an earlier fault may be too short for that alone
        if one["loc"] not in places:
            faults.append(one)
            places |= {one["loc"][:i] for i in range(len(one["loc"]) + 1)}
    listed = set[str]()  # once each: keys that one mapping takes
    said = [_fault(one, model, listed) for one in faults[:NAMED]]
    return "; ".join([*said, *([f"and {len(faults) - NAMED} more"] if len(faults) > NAMED else [])])


def _fault(one: ErrorDetails, model: type[BaseModel], listed: set[str]) -> str:
    message = plain_message(one)
    if one["type"] == "extra_forbidden":
        *path, key = one["loc"]
        known = natural_order(_keys_at(path, model))
        hint = f"; known: {', '.join(known)}" if known else ""
        is_new = hint not in listed
        listed.add(hint)
        return f"{_key(one)}: unknown key{did_you_mean(key, known)}{hint if is_new else ''}"
    if one["type"] == "missing":
        return f"{_key(one)}: {message}"
    if one["type"] == "value_error" and not one["loc"]:  # about several keys, which it names
        return message
    return f"{_key(one)}: {message} (given: {one['input']!r:.80})"


def _key(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))[:KEY_CHARACTERS] or "the whole file"


def _keys_at(path: Sequence[int | str], model: type[BaseModel]) -> set[str]:
    """Return the keys that the mapping at a path of a model takes; empty where that is not known."""
    models = [model]
    for part in path:
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        if fields:
            models = [inner for one in fields for inner in _models_in(one.annotation)]
        elif isinstance(part, str):  # the tag of a union, which chooses one of its models
            tagged = [one for one in models if part in {field.default for field in _tags(one)}]
            models = tagged or models
    return {key for one in models for key in one.model_fields}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _tags(model: type[BaseModel]) -> Iterator[FieldInfo]:
    return (field for field in model.model_fields.values() if get_origin(field.annotation) is Literal)
