"""How a command ends: its exit codes, and the line that says what went wrong."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from xadbench.datasets.common.errors import NoFeatureWarning

DIFFERS, WRONG_INPUT, TRIALS_FAILED, INTERNAL_ERROR = 1, 2, 3, 4


def complain(message: str) -> None:
    """Say in one line on the error stream what went wrong."""
    typer.echo(f"xadbench: {message}", err=True)


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Say in one line, as errors are said, that a column may be no feature."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *more: Any, **how: Any) -> None:
            if issubclass(category, NoFeatureWarning):
                complain(f"warning: {message}")
            else:
                usual(message, category, *more, **how)

        warnings.showwarning = show
        yield


@contextmanager
def differing_where_truth_leaks() -> Iterator[None]:
    """End a command that finds a leak of the ground truth with one line, and exit code 1."""
    from xadbench.evaluation.leaks.controls import LeakFound  # noqa: PLC0415  # SciPy's statistics take a second

    try:
        yield
    except LeakFound as error:
        complain(str(error))
        raise typer.Exit(DIFFERS) from None
