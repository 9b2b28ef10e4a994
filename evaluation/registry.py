"""What a registry holds: a name, one line about it, and how to make the thing with checked parameters."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from xadbench.datasets.checks import at_least
from xadbench.datasets.errors import InputError, find, unknown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
SEED = "random_state"
SILENT = frozenset({"verbose"})  # parameters that change no result


@dataclass(frozen=True)
class Factory(Generic[T_co]):
    """How to make a thing: `build(random_state=..., **params)`, and the parameters that it accepts."""

    build: Callable[..., T_co]
    accepts: frozenset[str]


@dataclass(frozen=True)
class Entry(Generic[T_co]):
    """One line of description, and the factory; only `load` may import what is slow to import."""

    description: str
    load: Callable[[], Factory[T_co]]


def make(
    what: str, name: str, registry: Mapping[str, Entry[T]], random_state: int, params: Mapping[str, Any]
) -> T:
    """Make the thing called `name`; `InputError` for an unknown name or parameter, naming the known ones."""
    factory = find(what, name, registry).load()
    at_least(0, random_state=random_state)
    for parameter in params:
        if parameter not in factory.accepts:
            raise unknown(f"parameter of {what} {name}:", parameter, factory.accepts)
    try:
        return factory.build(random_state=random_state, **params)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} {name}: {' '.join(str(error).split())}") from None


def factory_of(cls: Callable[..., T], **fixed: Any) -> Factory[T]:
    """Return the factory of a class: `fixed` parameters are set, the seed is passed where it has one."""
    names = keywords(cls)

    def build(random_state: int, **params: Any) -> T:
        seed = {SEED: random_state} if SEED in names else {}
        return cls(**fixed, **seed, **params)

    return Factory(build, names - {SEED, *fixed})


def keywords(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of a function's (or a class's) parameters.

    Examples
    --------
    >>> from xadbench.evaluation.registry import keywords
    >>> sorted(keywords(lambda x, *, y: None))
    ['x', 'y']
    """
    return frozenset(inspect.signature(function).parameters)


def identity(name: str, component: Any) -> dict[str, Any]:
    """Return, as JSON values, all that a component's results depend on beside the data.

    For the component and each one inside it, such as a detector's base: version and parameters.
    """
    return dict(_parts(name, component))


def _parts(name: str, component: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    params = dict(component.get_params()) if hasattr(component, "get_params") else _settings(component)
    inner = {key: part for key, part in params.items() if hasattr(part, "get_params")}
    plain = {
        key: _json(value) for key, value in params.items() if key not in {*inner, *SILENT} and "__" not in key
    }
    yield name, {"version": getattr(component, "version", None), "params": plain}
    for key, part in inner.items():
        yield from _parts(f"{name}.{key}", part)


def _settings(component: Any) -> dict[str, Any]:
    """Return what a component without `get_params` was made with, as far as it keeps that by its name."""
    names = keywords(type(component))
    return {name: getattr(component, name) for name in sorted(names) if hasattr(component, name)}


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
