"""A user's script: registers a detector and an explainer that break on purpose, and runs a suite.

python faulty_run.py SUITE.yaml RUN WORKERS EXECUTOR; prints a line for each trial.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from xadbench.evaluation import detectors, explainers, run_suite
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.trial import limits


class Distance:
    """The squared distance to the mean; hangs or dies as it is fitted, if told to."""

    version = 1

    def __init__(self, fault="none"):
        self.fault = fault

    def get_params(self):
        return {"fault": self.fault}

    def fit(self, X):
        limits.GRACE_SECONDS = 0.5  # here: in the worker
        misbehave(self.fault)
        self.mean = X.mean(axis=0)
        return self

    def decision_function(self, X):
        return ((X - self.mean) ** 2).sum(axis=1)


class Faulty:
    """An explainer that misbehaves, each time, or just the first time in this folder for each n."""

    version = 1
    requires = frozenset()

    def __init__(self, fault="none", n=0, seconds=0.0):
        self.fault, self.n, self.seconds = fault, n, seconds

    def fit(self, detector, background):
        return self

    def explain(self, X):
        time.sleep(self.seconds)
        misbehave(self.fault, self.n)
        return np.abs(X) + self.n


def misbehave(fault, n=0):
    if fault.startswith("once-"):
        try:
            Path(f"{fault}-{n}").touch(exist_ok=False)
        except FileExistsError:
            return
        fault = fault.removeprefix("once-")
    match fault:
        case "raise":
            raise RuntimeError("out of cheese")
        case "sleep":
            time.sleep(60)
        case "stubborn":
            while True:
                with suppress(BaseException):
                    time.sleep(60)
        case "memory":
            np.ones(2**28)  # 2 GiB
        case "exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


detectors.DETECTORS["distance"] = Entry("a stand-in", lambda: factory_of(Distance))
explainers.EXPLAINERS["faulty"] = Entry("a stand-in", lambda: factory_of(Faulty))


def tell(record, is_new):
    finished = record.explainer.label, record.status, "new" if is_new else "read"
    print(*finished, flush=True)  # noqa: T201  # a script


if __name__ == "__main__":
    suite, run, workers, executor = sys.argv[1:]
    run_suite(suite, run, on_trial=tell, workers=int(workers), executor=executor)
