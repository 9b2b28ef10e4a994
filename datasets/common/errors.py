"""The one error that a user can cause and fix, and what is only warned of."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from .names import did_you_mean, natural_order

T = TypeVar("T")


def printable(text: str) -> str:
    """Return a text on one line, with what could steer a terminal spelled out."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class InputError(ValueError):
    """Wrong input: the message says in one line what, where, and what is accepted.

    Names and values from files stand in it, and so what could steer a terminal is spelled out.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class NoFeatureWarning(UserWarning):
    """A column that is taken as a feature is named like labels, or like an id or an index."""


class NotApplicable(InputError):
    """Good data that a method declares not to be made for: a trial of it is skipped, and is no failure."""


class TrialTimeout(BaseException):
    """The time-out of a trial has passed; no Exception, so that no code takes it for a fault of its own."""


BREAKS = (KeyboardInterrupt, TrialTimeout)  # end what is under way, whoever's code that is


class Infeasible(InputError):
    """A goal that cannot be met by what a seed draws; the tables of other seeds may meet it."""


def said(error: BaseException) -> str:
    """Return an error's type and message; the type alone of a user's error that fails at its own message."""
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except BREAKS:
        raise
    except BaseException:  # noqa: BLE001  # as above
        return name


def one_line(error: BaseException) -> str:
    """Return an error's type and message in one line."""
    return " ".join(said(error).split())


def unknown(what: str, name: object, known: Iterable[object]) -> InputError:
    """Return the error for a name that no registry holds: it suggests what is like it, and lists all."""
    names = natural_order(known)
    return InputError(
        f"unknown {what} {name!r}{did_you_mean(name, names)}; known: {', '.join(names) or 'none'}"
    )


def check_all(checks: Iterable[Callable[[], object]]) -> None:
    """Make every check, and raise one `InputError` that says all that they find, each once."""
    faults = dict[str, None]()
    for check in checks:
        try:
            check()
        except InputError as error:
            faults[str(error)] = None
    if faults:
        raise InputError("; ".join(faults))


def find(what: str, name: str, registry: Mapping[str, T]) -> T:
    """Return the entry `name` of a registry; `InputError` with the known names if there is none."""
    try:
        return registry[name]
    except KeyError:
        raise unknown(what, name, registry) from None
