"""What a worker process does: it calls functions that another process sends, one after the other."""

import gc
import os
import pickle
import signal
import sys
from functools import partial
from threading import RLock
from typing import IO, Any

from cloudpickle import dumps
from tqdm import tqdm  # by which shap and others tell their progress

from xadbench.datasets.common.errors import one_line
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.trial import supervisor

from .preloading import import_early


def prepare_worker(registries: tuple[dict[str, Any], dict[str, Any]], lifeline: int | None = None) -> None:
    """Leave interrupts to the parent, know what it knows, and be supervised."""
    detectors, explainers = registries
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervisor.start(lifeline)
    tqdm.set_lock(RLock())  # its own is a semaphore, which a worker that is killed leaves to the system
    DETECTORS.update(detectors)
    EXPLAINERS.update(explainers)


def serve() -> None:
    """Answer what comes by the standard input until that ends; then end without a look at what still runs."""
    requests, answers = _own_pipes()
    prepare_worker(pickle.load(requests), requests.fileno())  # noqa: S301  # who started it is trusted
    import_early()  # what is slow to import, while the parent makes ready
    gc.freeze()  # what is imported will never be garbage
    while True:
        try:
            function, args, settings = pickle.load(requests)  # noqa: S301  # as above
        except EOFError:
            os._exit(0)
        try:
            answer = dumps((True, function(*args, **settings)))
        except Exception as error:  # noqa: BLE001  # whatever it raises is raised there
            answer = _raised(error)
        except BaseException:  # noqa: BLE001  # which is no fault of ours
            os._exit(1)
        answers.write(answer)
        answers.flush()


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes to the parent, which no trial's code reads or prints to, and no fork of it holds."""
    requests, answers = descriptors = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    if hasattr(os, "register_at_fork"):
        for one in descriptors:
            os.register_at_fork(after_in_child=partial(os.close, one))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # a descriptor
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _raised(error: Exception) -> Any:
    try:
        return dumps((False, error))
    except Exception:  # noqa: BLE001  # not every error can be sent
        return dumps((False, RuntimeError(one_line(error))))
