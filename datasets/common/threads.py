"""One thread for what numbers depend on: a matrix product rounds by how it is split among threads."""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import threadpoolctl


class _Settings:
    """The numbers of threads of this process, and torch's before the first `one_thread`.

    OpenMP has a number for each thread of Python, which puts back its own. Torch has one for the process: the
    last to leave puts it back. So has BLAS, but threadpoolctl lets none but the thread that set it put it
    back: where threads overlap it is 1 until that one leaves.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0  # threads of Python
        self.of_blas: ExitStack | None = None  # that of the thread that pinned BLAS
        self.torch_threads: int | None = None
        self.n_modules = 0
        self.controller: Any = None

    def enter(self) -> ExitStack:
        """Pin what is loaded, and return what puts back the calling thread's numbers."""
        own = ExitStack()
        with self.lock:
            self.inside += 1
            self.of_blas = self.of_blas or own
            self._pin(own)
        return own

    def pin_newly_imported(self, own: ExitStack) -> None:
        """Pin what was imported since; `own` is the calling thread's."""
        if self.n_modules != len(sys.modules):
            with self.lock:
                self._pin(own)

    def pin_again(self) -> None:
        """Pin again what is known here, whoever has set another number since."""
        for library in self.controller.lib_controllers:
            if library.num_threads != 1:
                library.set_num_threads(1)
        if self.torch_threads is not None:
            sys.modules["torch"].set_num_threads(1)

    def leave(self, own: ExitStack) -> None:
        """Undo `enter`."""
        with self.lock:
            self.inside -= 1
            if not self.inside:
                if self.torch_threads is not None:
                    sys.modules["torch"].set_num_threads(self.torch_threads)
                self.torch_threads = None
            own.close()
            if self.of_blas is own:
                self.of_blas = None

    def _pin(self, own: ExitStack) -> None:
        if self.n_modules != len(sys.modules):  # else no library is new, and to search for them takes long
            self.controller, self.n_modules = threadpoolctl.ThreadpoolController(), len(sys.modules)
        torch: Any = sys.modules.get("torch")
        is_imported = hasattr(torch, "set_num_threads")  # and not half of it
        if is_imported and self.torch_threads is None:
            self.torch_threads = torch.get_num_threads()
        own.enter_context(self.controller.select(user_api="openmp").limit(limits=1))
        if self.of_blas is own:
            own.enter_context(self.controller.select(user_api="blas").limit(limits=1))
        if is_imported:
            torch.set_num_threads(1)


_SETTINGS = _Settings()
_OF_THREAD = threading.local()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside; BLAS, OpenMP and torch get their numbers of threads back afterwards.

    Also a decorator of functions. A scope within another one costs next to nothing, and pins what was
    imported in between; this imports nothing itself.

    Examples
    --------
    >>> import numpy as np
    >>> from threadpoolctl import threadpool_info
    >>> from xadbench.datasets.common.threads import one_thread
    >>> with one_thread():
    ...     {library["num_threads"] for library in threadpool_info()}
    {1}
    """
    if (outer := getattr(_OF_THREAD, "settings", None)) is not None:
        _SETTINGS.pin_newly_imported(outer)
        yield
        return
    _OF_THREAD.settings = own = _SETTINGS.enter()
    try:
        yield
    finally:
        _OF_THREAD.settings = None
        _SETTINGS.leave(own)


def pin_again() -> None:
    """Within a `one_thread` scope of this thread, undo what others have set inside; nothing elsewhere."""
    if getattr(_OF_THREAD, "settings", None) is not None:
        _SETTINGS.pin_again()
