"""A user's explainers: one does what its parameter says, the other tells of all that it finds."""

import atexit
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import torch

DEADLY = ("exit", "exit 0", "kill", "segfault", "close all")
HANGING = ("stop", "deaf")
RAISING = ("raise", "interrupt", "exit of Python", "cannot be sent", "nan", "shape", "memory", "wordless")
ODD = (  # which give attributions all the same
    *("fork", "thread", "at exit", "child", "in place", "errors", "gradients", "type", "threads", "warnings"),
    *("generators", "streams", "flood", "handler"),
)
FAULTS = (*RAISING, *ODD, *DEADLY, *HANGING)


class Unsendable(Exception):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def __reduce__(self):
        raise TypeError


class Wordless(Exception):
    def __str__(self):
        raise SystemExit


class Does:
    def __init__(self, fault="none", n=0):
        self.fault, self.n = fault, n

    def get_params(self):
        return {"fault": self.fault, "n": self.n}

    def fit(self, detector, background):
        self.background = background
        return self

    def explain(self, X):
        attributions = np.abs(X)
        changed = _raise(self.fault, X) if self.fault in RAISING else None
        if self.fault in ODD:
            _leave_behind(self.fault, self.background)
        if self.fault in DEADLY or self.fault in HANGING:
            _end(self.fault)
        return attributions if changed is None else changed


def _raise(fault, X):
    match fault:
        case "raise":
            raise RuntimeError("out of cheese")
        case "interrupt":
            raise KeyboardInterrupt
        case "exit of Python":
            sys.exit(0)
        case "cannot be sent":
            raise Unsendable
        case "wordless":
            raise Wordless
        case "nan":
            return np.full(X.shape, np.nan)
        case "shape":
            return X[:, 1:]
        case "memory":
            return np.ones(2**28)


def _leave_behind(fault, background):
    {
        "fork": os.fork,  # which returns, twice
        "thread": lambda: threading.Thread(target=time.sleep, args=(600,)).start(),
        "at exit": lambda: atexit.register(time.sleep, 600),
        "child": lambda: subprocess.Popen(["sleep", "600"]),  # noqa: S607  # of the system
        "in place": lambda: torch.from_numpy(background).clamp_(-1, 1),
        "errors": lambda: np.seterr(all="raise"),
        "gradients": lambda: torch.set_grad_enabled(False),
        "type": lambda: torch.set_default_dtype(torch.float64),
        "threads": lambda: torch.set_num_threads(2),
        "warnings": lambda: warnings.simplefilter("error"),
        "generators": lambda: (np.random.seed(0), torch.manual_seed(0)),  # noqa: NPY002  # what one does
        "streams": _spoil_streams,
        "flood": lambda: sys.stderr.write("much ado\n" * 200_000),
        "handler": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    }[fault]()


def _spoil_streams():
    sys.stdout = sys.stderr = None


def _end(fault):
    match fault:
        case "exit":
            os._exit(7)
        case "exit 0":
            os._exit(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "close all":
            os.closerange(3, 1000)
            time.sleep(0.5)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "deaf":
            if threading.current_thread() is threading.main_thread():
                signal.setitimer(signal.ITIMER_REAL, 0)
            import faulthandler  # noqa: PLC0415  # no part of what else it does

            faulthandler.cancel_dump_traceback_later()
            while True:
                pass


def neighbour(detector, background, X):
    found = [torch.ones(1) / 3, torch.get_num_threads(), torch.is_grad_enabled(), np.geterr()]
    found += [np.random.random(), random.random(), torch.rand(1), sys.stdout is None]  # noqa: NPY002, S311  # as above
    found += [background.tobytes(), X.tobytes()]
    return np.random.default_rng(list(repr(found).encode())).random(X.shape)
