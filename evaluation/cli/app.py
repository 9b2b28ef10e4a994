"""The command line: a module of this folder a command, imported when it is called."""

import atexit
import gc
import sys
from contextvars import ContextVar
from typing import Annotated

import typer

from xadbench.datasets.common.errors import InputError
from xadbench.interrupts import INTERRUPTED, tell, watch

from .ending import WRONG_INPUT, complain
from .lazy_commands import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    epilog="Example: xadbench generate table2-d10-5 --seed 1",
)
debugging = ContextVar("debugging", default=False)


@app.callback()
def root(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of wrong input.")] = False
) -> None:
    """Make tables whose anomalies have known ground truth, and evaluate who names the right features."""
    debugging.set(debug)


def main() -> None:
    """Run the command line; wrong input gives one line and exit code 2."""
    atexit.register(gc.freeze)  # a last look at all that torch and others made takes half a second
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
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
    if code == INTERRUPTED:  # Typer's too
        tell()
    sys.exit(code)


if __name__ == "__main__":
    watch()
    main()
