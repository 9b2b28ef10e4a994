"""Installed plug-ins: what other distributions offer by entry points."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, distributions, entry_points
from typing import Any, TypeVar

from .errors import BREAKS, InputError, one_line
from .user_code import load_object

T = TypeVar("T")
MALFORMED = (UnicodeDecodeError, TypeError)  # how Python says so of an entry_points.txt


@dataclass(frozen=True)
class Plugin:
    """What a distribution offers under a name."""

    name: str
    spec: str
    distribution: str

    def load(self, adapt: Callable[[Any], T]) -> T:
        """Import the object and return what `adapt` makes of it; its `InputError` names the plug-in then."""
        try:
            return adapt(load_object(self.spec))
        except InputError as error:
            raise InputError(f"{self}: {error}") from error
        except BREAKS:
            raise
        except BaseException as error:  # an object may raise where it is only looked at
            raise InputError(f"{self}: it raised {one_line(error)}") from error

    def __str__(self) -> str:
        return f"plug-in {self.name!r} of {self.distribution}"


@dataclass
class Plugins:
    """The plug-ins of a group by name, and for each that cannot have its name a line that says why."""

    usable: dict[str, Plugin] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def plugins(group: str, taken: Container[str]) -> Plugins:
    """Return the plug-ins that installed distributions declare in a group of entry points; imports none.

    Parameters
    ----------
    group
        "xadbench.explainers", "xadbench.detectors" or "xadbench.datasets".
    taken
        The built-in names, which no plug-in can have.
    """
    found = Plugins()
    try:
        entries = list(entry_points(group=group))
    except MALFORMED:
        entries = list(_readable(group, found.refused))
    declared = map(_plugin, entries)
    for one in sorted(declared, key=lambda one: (one.name, one.distribution)):
        if reason := _reason(one, taken, found.usable):
            found.refused.append(f"{one}: {reason}")
        else:
            found.usable[one.name] = one
    return found


def _readable(group: str, refused: list[str]) -> Iterator[EntryPoint]:
    """Yield the entry points of the distributions whose list can be read; the others are `refused`."""
    for one in distributions():
        try:
            yield from one.entry_points.select(group=group)
        except MALFORMED as error:
            reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else "has a line without ="
            refused.append(f"distribution {one.name}: its entry_points.txt {reason}")


def _plugin(entry: EntryPoint) -> Plugin:
    about = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "no distribution"
    # Extras may stand behind the object: they are no part of its name.
    found = entry.pattern.match(entry.value)
    spec = f"{found['module']}:{found['attr'] or ''}" if found else entry.value
    return Plugin(entry.name, spec, about)


def _reason(plugin: Plugin, taken: Container[str], others: dict[str, Plugin]) -> str | None:
    if plugin.name in taken:
        return "the name is that of a built-in one"
    if plugin.name in others:
        return f"the name is that of one of {others[plugin.name].distribution}"
    if ":" in plugin.name:
        return "a name may not hold a colon"
    return None
