"""What code may change for a whole process and not only for itself: as it was again afterwards."""

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np

from .threads import pin_again


@contextmanager
def preserved(draws: np.random.Generator | None = None) -> Iterator[None]:
    """Leave the scope with the state of the process that it was entered with.

    That is: how NumPy and Python's warnings treat what is dubious; the global random generators of Python,
    NumPy and torch; torch's default type and device, and whether it records gradients; the standard streams;
    and one thread where `one_thread` is in force. Torch is looked at only where it is imported.

    Parameters
    ----------
    draws
        Seeds the global generators inside, so that what draws from them does not depend on what ran before.
        None: they go on from where they are.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.datasets.common.process_state import preserved
    >>> before = np.geterr()
    >>> with preserved():
    ...     _ = np.seterr(all="raise")
    >>> np.geterr() == before
    True
    """
    with ExitStack() as stack:
        stack.callback(pin_again)
        stack.callback(_set_filters, list(warnings.filters))
        stack.callback(_set_streams, sys.stdin, sys.stdout, sys.stderr)
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002  # it is what is preserved
        stack.callback(_state_of_torch())
        stack.enter_context(np.errstate())
        if draws is not None:
            _seed(int(draws.integers(2**32)))
        yield


@contextmanager
def unforked() -> Iterator[None]:
    """End a fork of this process that was begun inside the scope, where it would leave it."""
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != process:
            os._exit(0)


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # as above
    if torch := _torch():
        torch.default_generator.manual_seed(seed)


def _torch() -> Any:
    """Return torch if it is imported, and not half of it."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_default_device") else None


def _state_of_torch() -> Callable[[], object]:
    """Return what brings torch's state of now back; of one that is not imported yet, what it begins with."""
    torch = _torch()
    if torch is None:
        return partial(_set_torch, "float32", True, None, None)  # noqa: FBT003  # as torch has it
    dtype = str(torch.get_default_dtype()).removeprefix("torch.")
    return partial(
        _set_torch, dtype, torch.is_grad_enabled(), torch.get_default_device(), torch.get_rng_state()
    )


def _set_torch(dtype: str, is_recording: bool, device: Any, draws: Any) -> None:  # noqa: FBT001  # as above
    if (torch := _torch()) is None:
        return
    torch.set_default_dtype(getattr(torch, dtype))
    torch.set_grad_enabled(is_recording)
    device = device or torch.device("cpu")
    if torch.get_default_device() != device:
        torch.set_default_device(None if device == torch.device("cpu") else device)  # None: as it begins
    if draws is not None:
        torch.set_rng_state(draws)


def _set_filters(filters: list[Any]) -> None:
    if warnings.filters != filters:
        with warnings.catch_warnings():
            pass  # to leave it makes Python forget which warnings it has shown under which filters
        warnings.filters[:] = filters  # type: ignore[index]  # a list, which the stubs do not promise


def _set_streams(*streams: Any) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams
