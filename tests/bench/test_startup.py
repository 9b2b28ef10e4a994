"""What it takes until the package, or a command that lists something, is there."""

import resource
import subprocess
import sys

import pytest

from xadbench.evaluation.cli.catalogue import CATALOGUE

pytestmark = pytest.mark.bench

ELSEWHERE = "experiments"  # matplotlib and plotly come with the paper's experiments


@pytest.fixture
def cpu_seconds(benchmark):
    """A function that returns, and records, the processor's time of a new Python, the least of five."""

    def run(*arguments):
        took = benchmark.pedantic(lambda: min(_of_child(arguments) for _ in range(5)), rounds=1)
        benchmark.extra_info["cpu_seconds"] = took
        return took

    return run


def _of_child(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_package_is_imported_in_a_tenth_of_a_second(cpu_seconds):
    assert cpu_seconds("-c", "import xadbench") <= 0.1


@pytest.mark.parametrize(
    "words", [["--help"], *(["list", what] for what in CATALOGUE if what != ELSEWHERE)], ids=" ".join
)
def test_help_and_lists_take_a_third_of_a_second(cpu_seconds, words):
    assert cpu_seconds("-m", "xadbench", *words) <= 0.35
