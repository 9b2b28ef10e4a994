"""A process beside a worker: it kills the worker, and what that started, when a time is up or it is gone.

From outside, since a worker may be stopped, deaf to alarms, or end and leave its children behind. Only where
there are process groups: not on Windows. This file is run as a script too, and so imports only what is
Python's.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_SECONDS = 1.0  # how often it looks whether the worker lives, whose end of the pipe a child may hold
ENDED = "ended from outside: it did not hear that its time was up\n"
_ORDERS: list[int] = []  # where the supervisor of this process listens


def start(lifeline: int | None = None) -> None:
    """Give this process a group and a supervisor of its own; once a process, and nothing on Windows.

    `lifeline` is a pipe's end to read from: when nobody holds its other end any more, this process is killed.
    """
    if _ORDERS or not hasattr(os, "setsid"):
        return
    with suppress(PermissionError):  # it leads a group already
        os.setsid()
    if os.getpgrp() != os.getpid():
        raise RuntimeError("this process does not lead its group, which others share")
    ours, orders = os.pipe()
    inherited = [ours] if lifeline is None else [ours, lifeline]
    subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-I", "-S", __file__, *map(str, (os.getpid(), *inherited))],
        pass_fds=inherited,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # or who reads the worker's would wait for this one
        start_new_session=True,
    ).returncode = 0  # nobody waits for it
    os.close(ours)
    _ORDERS.append(orders)
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    """In a fork, hold no end of the pipe, or the worker would seem to live on."""
    while _ORDERS:
        os.close(_ORDERS.pop())


@contextmanager
def supervised(seconds: float, last_words: str) -> Iterator[None]:
    """Have this process killed, and a line written to the file `last_words`, if the scope takes longer."""
    _order(f"{seconds} {last_words}")
    try:
        yield
    finally:
        _order("")


def _order(text: str) -> None:
    for orders in _ORDERS:
        os.write(orders, f"{text}\n".encode())


def _supervise(worker: int, orders: int, lifeline: int | None = None) -> None:
    told, deadline, last_words = b"", float("inf"), ""
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    if lifeline is not None:
        poll.register(lifeline, 0)  # tells of its other end alone
    while os.getppid() == worker:
        left = min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
        for descriptor, _ in poll.poll(1000 * left):
            read = os.read(orders, 65_536) if descriptor == orders else b""
            if not read:
                return _kill(worker)
            told += read
            *lines, told = told.split(b"\n")
            for line in lines:
                seconds, _, last_words = os.fsdecode(line).partition(" ")
                deadline = time.monotonic() + float(seconds) if seconds else float("inf")
        if time.monotonic() > deadline:
            with suppress(OSError), Path(last_words).open("a", encoding="utf-8") as words:
                words.write(ENDED)
            return _kill(worker)
    return _kill(worker)


def _kill(group: int) -> None:
    """Kill a group that a worker leads; its number is the worker's own word, not that of whoever is left."""
    if group <= 1:
        raise ValueError(f"group {group} is no worker's")
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _supervise(*map(int, sys.argv[1:]))
