"""What a trial may take: so much time, so much memory."""

import faulthandler
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import TrialTimeout, said

from . import supervisor

VMSTAT = Path("/proc/vmstat")
GRACE_SECONDS = 1.0  # what does not hear the alarm, such as a loop in C, ends its process so much later
LAST_SECONDS = 1.5  # and what keeps it from that, as if it is stopped, is killed by its supervisor


@contextmanager
def limited(
    what: str, timeout: float | None, memory_limit: int | None, last_words: IO[str] | None
) -> Iterator[None]:
    """End what happens within the scope if it takes more; only in a worker process that does nothing else.

    Parameters
    ----------
    what
        Begins the message of `TrialTimeout`.
    timeout
        Seconds until `TrialTimeout` is raised inside. What does not end by that ends with the process, its
        traceback in `last_words`; at once where the scope is not in the main thread, as in Dask's workers,
        since only that one hears the alarm. What prevents even that is killed by the supervisor of the
        process, and `last_words` say so.
    memory_limit
        Bytes that may be allocated beyond what the process holds; more raises `MemoryError`, or what a
        library makes of it.
    last_words
        An open file; None where there is no time-out.
    """
    with ExitStack() as stack:
        if memory_limit is not None:
            stack.enter_context(_limited_memory(memory_limit))
        if timeout is not None and last_words is not None:
            stack.enter_context(_limited_time(timeout, what, last_words))
        yield


@contextmanager
def _limited_time(seconds: float, what: str, last_words: IO[str]) -> Iterator[None]:
    hears = threading.current_thread() is threading.main_thread()
    with ExitStack() as stack:  # each undone, even if the alarm rings while another is
        stack.callback(faulthandler.cancel_dump_traceback_later)
        last = seconds + GRACE_SECONDS if hears else seconds
        faulthandler.dump_traceback_later(last, exit=True, file=last_words)
        stack.enter_context(supervisor.supervised(seconds + LAST_SECONDS, last_words.name))
        if hears:
            stack.enter_context(_alarm(seconds, what))
        yield


@contextmanager
def _alarm(seconds: float, what: str) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TrialTimeout(f"{what} took more than {seconds:g} s")

    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, ring))
        stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield


@contextmanager
def _limited_memory(n_bytes: int) -> Iterator[None]:
    import resource  # noqa: PLC0415  # not on Windows

    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_held() + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _held() -> int:
    """Return the bytes that the kernel counts against the limit of this process's data."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmData:"))
    return 1024 * int(line.split()[1])


def check_limits(timeout: float | None, memory_limit: int | None) -> None:
    """Raise `InputError` for a limit that cannot be held on this system."""
    if timeout is not None and not hasattr(signal, "setitimer"):
        raise InputError(f"timeout: not on {sys.platform}, which has no alarm for a process")
    if memory_limit is not None and sys.platform != "linux":
        raise InputError(f"memory_limit: only on Linux, not on {sys.platform}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch has no class of its own for that."""
    return isinstance(error, MemoryError) or "can't allocate memory" in said(error)


def oom_kills() -> int:
    """Return how many processes the kernel has killed for want of memory; 0 where it does not say."""
    try:
        lines = VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
