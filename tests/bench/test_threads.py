"""How fast our detector trains and our explainer explains where torch may use two threads: as on one."""

import time

import numpy as np
import pytest
import torch

from xadbench.dsil import DTE, DiffusionPerturbation

pytestmark = pytest.mark.bench

X = np.random.default_rng(0).standard_normal((2_000, 10))


def on_threads(number):
    def fit_and_explain():
        before = torch.get_num_threads()
        torch.set_num_threads(number)
        detector = DTE(epochs=5).fit(X)
        DiffusionPerturbation().fit(detector, background=X).explain(X[:50])
        torch.set_num_threads(before)

    return fit_and_explain


@pytest.mark.parametrize("clock", [time.perf_counter, time.process_time], ids=lambda clock: clock.__name__)
def test_two_threads_take_no_longer_than_one(ratio, clock):
    assert ratio(on_threads(2), on_threads(1), rounds=6, clock=clock) <= 1.15
