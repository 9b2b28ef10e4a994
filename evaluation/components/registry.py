"""What a registry holds: a name, one line about it, and how to make the thing with checked parameters."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Generic, TypeVar

import numpy as np

from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import BREAKS, InputError, one_line, unknown
from xadbench.datasets.common.plugins import Plugins, plugins
from xadbench.datasets.common.user_code import is_spec, load_object, object_name, source_hash, untraced_files

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
SEED = "random_state"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # another in each process
SILENT = frozenset({"verbose"})  # parameters that change no result
_installed = cache(version)  # it reads a file each time


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


@dataclass(frozen=True)
class Kind(Generic[T]):
    """All that can be named of a kind: what is built in, installed plug-ins, and the user's own code.

    `group` is that of the entry points; `adapt` returns the factory of a class or function that is named,
    `adapt_object` that of a Python object, and both raise `InputError` for what is no such thing; `reserved`
    are the names that stand for controls.
    """

    what: str
    group: str
    built_in: Mapping[str, Entry[T]]
    adapt: Callable[[Any], Factory[T]]
    adapt_object: Callable[[Any], Factory[T]]
    reserved: frozenset[str] = frozenset()

    def plugins(self) -> Plugins:
        """Return the installed plug-ins; imports none."""
        return plugins(self.group, self.built_in.keys() | self.reserved)

    def factory(self, name: str) -> Factory[T]:
        """Return the factory of the thing called `name`: built in, a plug-in, or `module:Name`."""
        if name in self.built_in:
            return self.built_in[name].load()
        if is_spec(name):
            return self.adapt(load_object(name))
        found = self.plugins().usable
        if name not in found and name.endswith(".py"):
            raise InputError(f"{name} is a file; which {self.what} of it? expected {name}:name")
        if name not in found:
            known = unknown(self.what, name, self.built_in.keys() | found.keys())
            raise InputError(f"{known}; or package.module:Name, or path/to/file.py:name")
        return found[name].load(self.adapt)


def make(kind: Kind[T], made_from: Any, random_state: int, params: Mapping[str, Any]) -> T:
    """Make a thing from its name, or from a Python object.

    Raises
    ------
    InputError
        For an unknown name or parameter, naming the known ones; for an object of another kind.
    """
    what, is_named = kind.what, isinstance(made_from, str)
    name = made_from if is_named else object_name(made_from)
    factory = kind.factory(made_from) if is_named else kind.adapt_object(made_from)
    at_least(0, random_state=random_state)
    for parameter in params:
        if parameter not in factory.accepts:
            raise unknown(f"parameter of {what} {name}:", parameter, factory.accepts)
    try:
        return factory.build(random_state=random_state, **params)
    except TypeError as error:  # which does not say of which parameter
        given = ", ".join(f"{key}={value!r:.80}" for key, value in params.items()) or "nothing"
        raise InputError(f"{what} {name}: {' '.join(str(error).split())}; given: {given}") from None
    except ValueError as error:
        raise InputError(f"{what} {name}: {' '.join(str(error).split())}") from None
    except BREAKS:
        raise
    except BaseException as error:  # whatever a plug-in raises, such as SystemExit
        raise InputError(f"{what} {name}: making it raised {one_line(error)}") from error


def factory_of(cls: Callable[..., T], **fixed: Any) -> Factory[T]:
    """Return the factory of a class: `fixed` parameters are set, the seed is passed where it has one."""
    names = keywords(cls)

    def build(random_state: int, **params: Any) -> T:
        seed = {SEED: random_state} if SEED in names else {}
        return cls(**fixed, **seed, **params)

    return Factory(build, names - {SEED, *fixed})


@cache  # of few classes: those that are named, each for thousands of trials
def keywords(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of a function's (or a class's) parameters, except for `*args` and `**kwargs`.

    Examples
    --------
    >>> from xadbench.evaluation.components.registry import keywords
    >>> sorted(keywords(lambda x, *, y: None))
    ['x', 'y']
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise InputError(f"{function!r:.80} does not say what parameters it takes") from None
    return frozenset(one.name for one in parameters if one.kind not in {one.VAR_POSITIONAL, one.VAR_KEYWORD})


def identity(name: str, component: Any) -> dict[str, Any]:
    """Return, as JSON values, all that a component's results depend on beside the data.

    For the component and each one inside it, such as a detector's base: version and parameters, the version
    of the library that does the work, and of the user's own code the hash of its source.
    """
    return dict(_parts(name, component))


def _parts(name: str, component: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    params = dict(component.get_params()) if hasattr(component, "get_params") else _settings(component)
    inner = {key: part for key, part in params.items() if hasattr(part, "get_params")}
    plain = {
        key: _json(value) for key, value in params.items() if key not in {*inner, *SILENT} and "__" not in key
    }
    made = {"version": getattr(component, "version", None), "params": plain}
    yield name, made | _library(component) | _source(component)
    for key, part in inner.items():
        yield from _parts(f"{name}.{key}", part)


def _library(component: Any) -> dict[str, str]:
    """Return the library that a component hands its work to, with its version; nothing for any other."""
    name = getattr(component, "library", None)
    if not isinstance(name, str):
        return {}
    try:
        return {"library": f"{name} {_installed(name)}"}
    except (PackageNotFoundError, ValueError):
        made = type(component).__name__
        raise InputError(f"library of {made} is {name!r}; expected an installed distribution") from None


def _source(component: Any) -> dict[str, str]:
    """Return the hash of the user's code that a component is made from, and its files that are not traced.

    Nothing for any other component.
    """
    made_from = type(component), getattr(component, "function", None)
    hashes = [digest for one in made_from if (digest := source_hash(one))]
    untraced = sorted({name for one in made_from for name in untraced_files(one)})
    return ({"source": " ".join(hashes)} if hashes else {}) | (
        {"untraced": ", ".join(untraced)} if untraced else {}
    )


def _settings(component: Any) -> dict[str, Any]:
    """Return what a component without `get_params` was made with, as far as it keeps that by its name."""
    names = keywords(type(component))  # type: ignore[arg-type]  # a class can be hashed
    return {name: getattr(component, name) for name in sorted(names) if hasattr(component, name)}


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else ADDRESS.sub("", repr(value))
