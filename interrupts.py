r"""Ctrl-C on the command line: its process ends within 5 s, whatever it is at.

Python hears an interrupt between two of its instructions, so not while a call into C lasts, be it for hours.
Here a thread hears it too, and ends the process if it has not ended by itself. Only a call that keeps
Python's lock to its end, as long ones of NumPy and torch do not, makes that thread wait too: Ctrl-\ ends it.
"""

import atexit
import os
import signal
import socket
from contextlib import suppress
from functools import cache
from multiprocessing import active_children
from threading import Thread, Timer

INTERRUPTED = 130  # the exit code that shells give to what Ctrl-C ended
GRACE_SECONDS = 4.0  # to end by itself: with the pools closed, and the folders of workers removed
SHOW_CURSOR = b"\x1b[?25h\n"  # on a line below what is live


def end_early() -> None:
    """Let an interrupt end this process at once, until `watch`: nothing is begun that is to be undone."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)


def watch() -> None:
    """End this process soon after an interrupt, and at once after another; for a command's process alone.

    Until then an interrupt is a `KeyboardInterrupt`, as ever. Where interrupts are ignored, they stay so.
    """
    if signal.getsignal(signal.SIGINT) not in {signal.default_int_handler, end}:
        return
    ear, bell = socket.socketpair()
    bell.settimeout(0)
    signal.signal(signal.SIGINT, _raise_once)
    signal.set_wakeup_fd(bell.detach(), warn_on_full_buffer=False)
    if hasattr(os, "register_at_fork"):  # a forked child hears the terminal's Ctrl-C as well
        os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    Thread(target=_end_soon, args=(ear,), daemon=True).start()


def _raise_once(*_: object) -> None:
    """Raise the first interrupt; what it undoes is not to be interrupted by a second."""
    signal.signal(signal.SIGINT, lambda *_: None)
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # Python's end would restore the default
    raise KeyboardInterrupt


def _end_soon(ear: socket.socket) -> None:
    _wait_for_interrupt(ear)
    timer = Timer(GRACE_SECONDS, end)
    timer.daemon = True
    timer.start()
    _wait_for_interrupt(ear)
    end()


def _wait_for_interrupt(ear: socket.socket) -> None:
    while ear.recv(1) != bytes([signal.SIGINT]):  # other signals ring too, such as a time-out's alarm
        pass


def end(*_: object) -> None:
    """End this process and its workers now, with the message and the exit code of an interrupt."""
    try:
        for worker in active_children():
            worker.terminate()
        for terminal in [descriptor for descriptor in (1, 2) if os.isatty(descriptor)][:1]:
            os.write(terminal, SHOW_CURSOR)
        tell()
    finally:
        os._exit(INTERRUPTED)


@cache  # once: the command may have told before it hung at its end
def tell() -> None:
    """Say on the error stream what an interrupt leaves."""
    with suppress(OSError):  # nobody listens
        os.write(
            2, b"xadbench: interrupted; what is finished is kept, and the same command goes on from there\n"
        )
