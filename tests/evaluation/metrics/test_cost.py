import time

import numpy as np
import pytest
import torch

from xadbench.dsil import DSIL, DTE
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import cost as costs

X = np.zeros((7, 3))


class Detector:
    def decision_function(self, X):
        return self.score_tensor(torch.tensor(X)).numpy()

    def score_tensor(self, x):
        return x.sum(dim=1)

    def score_module(self):
        return torch.nn.Linear(3, 1)


def test_every_row_scored_is_counted_once():
    detector = Detector()
    with metrics.counted(detector) as rows:
        detector.decision_function(X)  # scores by its own score_tensor
        detector.score_tensor(torch.tensor(X[:2]))
        assert rows.scored == 9
        detector.score_module()(torch.zeros(4, 3))
        assert rows.scored == 13
        assert isinstance(detector, Detector)
    detector.decision_function(X)
    assert rows.scored == 13


@pytest.mark.parametrize(
    "detector", [DTE(epochs=2, batch_size=4), DSIL(DTE(epochs=2, batch_size=4), iterations=2)]
)
def test_changes_of_rows_are_counted_as_rows(detector):
    table = np.random.default_rng(0).standard_normal((20, 3))
    detector.fit(table)
    with metrics.counted(detector) as rows:
        detector.score_changes(table[:2], np.array([[0], [2]]), np.zeros((2, 1, 4)))
    assert rows.scored == 2 + 2 * 4


def test_the_detector_is_as_before_even_after_a_fault():
    detector = Detector()
    detector.decision_function = own = lambda X: X.sum(axis=1)
    module = torch.nn.Linear(3, 1)
    detector.score_module = keep = lambda: module
    with pytest.raises(TypeError), metrics.counted(detector) as rows:
        detector.decision_function(detector.score_module())
    assert vars(detector) == {"decision_function": own, "score_module": keep}
    module(torch.zeros(4, 3))
    assert rows.scored == 0


class Slotted:
    __slots__ = ()

    def decision_function(self, X):
        return X.sum(axis=1)


def test_of_a_detector_that_takes_no_attributes_the_count_is_undefined():
    with metrics.counted(Slotted()) as rows, metrics.metered(rows) as cost:
        Slotted().decision_function(X)
    assert np.isnan(cost.rows_scored)
    assert cost.seconds > 0


def test_a_scorer_kept_for_later_goes_on_counting():
    detector = Detector()
    with metrics.counted(detector) as rows:
        with metrics.metered(rows) as fitting:
            score = detector.decision_function
        with metrics.metered(rows) as explaining:
            score(X)
    assert (fitting.rows_scored, explaining.rows_scored) == (0, 7)


def test_waiting_costs_time_but_no_work():
    with metrics.metered() as cost:
        time.sleep(0.2)
    assert cost.seconds >= 0.2
    assert cost.cpu_seconds < 0.15


def test_memory_is_seen_even_if_it_was_given_back():
    size = 200_000_000
    np.ones(size // 4)  # an earlier, higher peak does not hide it
    for allocate in (lambda: np.ones(size // 8), lambda: torch.ones(size // 8, dtype=torch.float64)):
        with metrics.metered() as cost:
            allocate()
        assert 0.9 * size < cost.peak_bytes < 1.5 * size


def test_the_kernel_takes_time():
    assert 1e-4 < metrics.matmul_seconds() < 1


def test_the_kernel_runs_anew_every_two_seconds_and_five_times_where_it_has_not_run_for_a_while(monkeypatch):
    clock = iter([0.0, 0.1, 0.2, 0.3, 0.4, 2.5, 10.1, 30.0, 30.1, 30.2, 30.3, 30.4])
    took = iter([5.0, 9.0, 9.0, 9.0, 9.0, 8.0, 8.5, 7.0, 7.0, 7.0, 7.0, 7.0])
    monkeypatch.setattr(costs, "_RUNS", [])
    monkeypatch.setattr(costs, "_run_matmul", lambda: (next(clock), next(took)))
    now = iter([0.0, 2.3, 2.5, 10.05, 30.0])
    monkeypatch.setattr(costs.time, "monotonic", lambda: next(now))
    assert [metrics.matmul_seconds() for _ in range(5)] == [5.0, 5.0, 5.0, 8.0, 7.0]
    assert next(clock, None) is None
