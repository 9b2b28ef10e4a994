"""How much a command says: results on standard output, and all else on the error stream, as much as asked."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from xadbench.datasets.common.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

QUIET, NORMAL, VERBOSE = -1, 0, 1
level = ContextVar("level", default=NORMAL)


def _set(param: typer.CallbackParam, given: bool) -> None:  # noqa: FBT001  # as Typer calls it
    if given:
        level.set(QUIET if param.name == "quiet" else VERBOSE)


def _option(name: str, help_: str) -> Any:
    return typer.Option(f"--{name}", f"-{name[0]}", help=help_, callback=_set, expose_value=False)


_carrier = typer.Typer(add_completion=False, rich_markup_mode=None)


@_carrier.command()
def _options(
    *,
    quiet: Annotated[bool, _option("quiet", "Print results only, no progress.")] = False,
    verbose: Annotated[
        bool, _option("verbose", "Print more: each fit and trial, and why one failed.")
    ] = False,
) -> None:
    """Have the options that every command has."""


def verbosity_options() -> list[Any]:
    """Return the options that every command has."""
    return get_command(_carrier).params


def is_verbose() -> bool:
    """Whether the user asked for more."""
    return level.get() == VERBOSE


def note(text: object) -> None:
    """Say how far a command is, in one line on the error stream; nothing if the user wants it quiet."""
    if level.get() != QUIET:
        typer.echo(printable(str(text)), err=True)


def progress_console() -> "Console":
    """Return where progress is shown."""
    from rich.console import Console  # noqa: PLC0415  # `xadbench --help` needs none

    return Console(stderr=True, quiet=level.get() == QUIET)
