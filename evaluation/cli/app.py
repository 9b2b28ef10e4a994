"""The command line: a module of this folder a command, imported when it is called."""

import atexit
import gc
import sys
from contextvars import ContextVar
from typing import Annotated

import typer
from typer.main import get_command

import xadbench
from xadbench.datasets.common.errors import InputError, one_line
from xadbench.interrupts import INTERRUPTED, tell, watch

from . import verbosity
from .ending import INTERNAL_ERROR, WRONG_INPUT, complain, warnings_in_one_line
from .lazy_commands import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: xadbench generate table2-d10-5 --seed 1",
)
PROGRAM = "xadbench"  # also where `python -m xadbench` is called
debugging = ContextVar("debugging", default=False)


def _say_version(asked: bool) -> None:  # noqa: FBT001  # as Typer calls it
    if asked:
        typer.echo(f"{PROGRAM} {xadbench.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[  # noqa: ARG001  # its callback does it
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Benchmark explainers of anomalies on tables with known ground truth."""
    debugging.set(debug)


command = get_command(app)
command.params[:0] = verbosity.verbosity_options()


def main() -> None:
    """Run the command line; wrong input gives one line and exit code 2."""
    atexit.register(gc.freeze)  # a last look at all that torch and others made takes half a second
    try:
        debugging.set(False)
        verbosity.level.set(verbosity.NORMAL)
        with warnings_in_one_line():
            code = command(prog_name=PROGRAM, args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except typer.TyperException as error:
        complain(error.format_message())
        code = WRONG_INPUT
    except (InputError, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        if debugging.get():
            raise
        complain(" ".join(str(error).split()))
        code = WRONG_INPUT
    except Exception as error:  # a fault of ours; 1 would say that a check failed
        if debugging.get():
            raise
        complain(f"internal error: {one_line(error)}; please report it with what --debug shows")
        code = INTERNAL_ERROR
    if code == INTERRUPTED:  # Typer's too
        tell()
    sys.exit(code)


if __name__ == "__main__":
    watch()
    main()
