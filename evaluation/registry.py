"""What a registry holds: a name, one line about it, and how to make the thing with checked parameters."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from xadbench.datasets.errors import InputError, find, unknown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
SEED = "random_state"


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
