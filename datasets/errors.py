"""The one error that a user can cause and mend."""

from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input: the message says in one line what, where, and what is accepted."""


def unknown(what: str, name: str, known: Iterable[object]) -> InputError:
    """Return the error for a name that no registry holds."""
    names = ", ".join(sorted(map(str, known)))
    return InputError(f"unknown {what} {name!r}; known: {names}")
