"""How fast detectors train and score, as ratios of least times inside one run, on one thread."""

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor, wait
from itertools import pairwise

import numpy as np
import pytest
import torch

from xadbench.dsil import DTE
from xadbench.dsil.detectors.dte import ROWS_AT_ONCE
from xadbench.dsil.networks.mlp import HIDDEN

pytestmark = pytest.mark.bench

BATCH, EPOCHS = 128, 5


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def table(n_rows, n_features):
    return np.random.default_rng(0).standard_normal((n_rows, n_features))


class Products:
    """The matrix products of the network, forward and backward, and nothing else."""

    def __init__(self, n_features, n_rows):
        rng, sizes = np.random.default_rng(0), (n_features, *HIDDEN, 7)
        self.activations = [torch.from_numpy(rng.random((n_rows, size), np.float32)) for size in sizes]
        self.weights = [torch.from_numpy(rng.random(shape[::-1], np.float32)) for shape in pairwise(sizes)]

    def forward(self):
        for x, weights in zip(self.activations, self.weights, strict=False):
            _ = x @ weights.T

    def backward(self):
        for depth, (x, gradient) in enumerate(pairwise(self.activations)):
            _ = gradient.T @ x
            if depth:  # nobody asks for the gradient of the rows themselves
                _ = gradient @ self.weights[depth]


def test_training_costs_little_more_than_its_products(ratio):
    detector = DTE(epochs=EPOCHS, batch_size=BATCH)
    rows = detector._new_rows(table(5_000, 100))
    products = Products(100, BATCH)

    def bare():
        for _ in range(EPOCHS * len(rows) // BATCH):
            products.forward()
            products.backward()

    assert ratio(lambda: detector._learn(rows), bare, rounds=8, clock=time.process_time) <= 1.5


def test_scoring_costs_little_more_than_its_products_in_bounded_memory(benchmark, ratio):
    rows = table(1_000_000, 30)
    detector, products = DTE(epochs=1).fit(rows[:1000]), Products(30, ROWS_AT_ONCE)

    def bare():
        for _ in range(len(rows) // ROWS_AT_ONCE):
            products.forward()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    detector.decision_function(rows)
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    benchmark.extra_info["megabytes"] = megabytes
    # The checks take two bytes a value, the scores eight a row, twice; all activations at once: 4 GB.
    assert megabytes <= 120
    assert ratio(lambda: detector.decision_function(rows), bare, clock=time.process_time) <= 1.3


def test_two_fits_in_two_processes_take_no_longer_than_one(ratio):
    detector, rows = DTE(epochs=2 * EPOCHS), table(5_000, 100)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, initializer=torch.set_num_threads, initargs=(1,)) as executor:

        def fits(number):
            wait([executor.submit(detector.fit, rows) for _ in range(number)])

        fits(2)  # starts both processes
        both = ratio(lambda: fits(2), lambda: fits(1), rounds=6)
    assert both <= 1.15
