import subprocess
import sys

import pytest

from xadbench.datasets.rng import stream


def test_the_same_path_gives_the_same_numbers():
    assert stream(3, "noise", "x1").random(5).tolist() == stream(3, "noise", "x1").random(5).tolist()


@pytest.mark.parametrize("other", [(4, "noise", "x1"), (3, "noise", "x2"), (3, "noise"), (3, "noise/x1")])
def test_another_seed_or_path_gives_other_numbers(other):
    assert stream(3, "noise", "x1").random() != stream(*other).random()


def test_the_numbers_are_those_of_every_machine():
    assert stream(0, "noise", "x0").random() == 0.911734435191678


def test_hash_randomisation_plays_no_part():
    code = "from xadbench.datasets.rng import stream; print(stream(1, 'a').random())"
    runs = {
        subprocess.run(  # noqa: S603  # our own interpreter, our own code
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(runs) == 1
