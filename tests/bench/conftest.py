"""What the benches share: least times of functions, run in turn inside one run, and their ratio."""

import time

import pytest


@pytest.fixture
def least_times():
    """A function that returns the least time of each of its functions, run in turn."""

    def run(*functions, rounds=3, clock=time.perf_counter):
        times = [[] for _ in functions]
        for _ in range(rounds):
            for function, own in zip(functions, times, strict=True):
                start = clock()
                function()
                own.append(clock() - start)
        return [min(own) for own in times]

    return run


@pytest.fixture
def ratio(benchmark, least_times):
    """A function that returns, and records, the least time of a first function over that of a second."""

    def run(first, second, **settings):
        times = benchmark.pedantic(least_times, args=(first, second), kwargs=settings, rounds=1)
        benchmark.extra_info["ratio"] = times[0] / times[1]
        return times[0] / times[1]

    return run
