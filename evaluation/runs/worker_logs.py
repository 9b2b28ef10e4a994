"""Where workers say how far they are: a folder in the run's, which names the process that reads it."""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".workers-"


@contextmanager
def own_logs(run: Path) -> Iterator[Path]:
    """Yield a new folder for the logs of this process's workers, which vanishes at the end."""
    prefix = f"{PREFIX}{_host()}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=run, ignore_cleanup_errors=True) as logs:
        yield Path(logs)


def sweep_logs(run: Path) -> None:
    """Remove the logs of processes of this machine that were killed; other machines may share the run."""
    name = re.compile(rf"{re.escape(PREFIX + _host())}-(\d{{1,9}})-[^-]+")
    if os.name != "posix":  # elsewhere `os.kill` does not ask, it ends
        return
    for logs in run.glob(f"{PREFIX}*"):
        if (found := name.fullmatch(logs.name)) and not _is_alive(int(found[1])):
            shutil.rmtree(logs, ignore_errors=True)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
