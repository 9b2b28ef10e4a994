"""How a command ends: its exit codes, and the line that says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

DIFFERS, WRONG_INPUT, TRIALS_FAILED, INTERNAL_ERROR = 1, 2, 3, 4


def complain(message: str) -> None:
    """Say in one line on the error stream what went wrong."""
    typer.echo(f"xadbench: {message}", err=True)


@contextmanager
def differing_where_truth_leaks() -> Iterator[None]:
    """End a command that finds a leak of the ground truth with one line, and exit code 1."""
    from xadbench.evaluation.leaks.controls import LeakFound  # noqa: PLC0415  # SciPy's statistics take a second

    try:
        yield
    except LeakFound as error:
        complain(str(error))
        raise typer.Exit(DIFFERS) from None
