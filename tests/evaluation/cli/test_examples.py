"""Every command's help shows an example, and every example runs."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from xadbench.evaluation.cli import app as cli

START = "Example: "
EXAMPLES_FOLDER = Path(__file__).parents[3] / "examples"


def commands(command=None, words="xadbench") -> Iterator[tuple[str, str]]:
    """Yield the words that call a command, and what its help ends with; groups of commands too."""
    command = command or get_command(cli.app)
    yield words, command.epilog or ""
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{words} {name}")


EPILOGS = dict(commands())
EXAMPLES = {words: epilog.removeprefix(START) for words, epilog in EPILOGS.items() if epilog}


def test_every_command_has_an_example_of_itself():
    without = [words for words, epilog in EPILOGS.items() if not epilog.startswith(f"{START}{words} ")]
    assert without == []


def test_examples_fit_into_a_line_of_a_terminal():
    assert [epilog for epilog in EPILOGS.values() if len(epilog) > 78] == []


@pytest.fixture
def suite(code_folder):
    for path in EXAMPLES_FOLDER.glob("mine.*"):
        (code_folder / "examples").mkdir(exist_ok=True)
        shutil.copy(path, code_folder / "examples")


@pytest.fixture
def answers(suite, tmp_path):
    """Each value itself as its attribution."""
    from xadbench.evaluation.submission.export import export  # noqa: PLC0415  # only where an example needs one
    from xadbench.evaluation.suite.spec import load_suite  # noqa: PLC0415  # as above

    export(load_suite(str(tmp_path / "examples" / "mine.yaml")), tmp_path / "there")
    (tmp_path / "answers").mkdir()
    for rows in (tmp_path / "there").glob("*/rows.csv"):
        rows.rename(tmp_path / "answers" / f"{rows.parent.name}.csv")


@pytest.fixture
def run(small_finished_run, tmp_path):
    shutil.copytree(small_finished_run, tmp_path / "runs" / "mine")


@pytest.fixture
def release(tmp_path):
    from xadbench.generator import load_release  # noqa: PLC0415  # only where an example needs one
    from xadbench.generator.releases.build import build  # noqa: PLC0415  # as above

    build(load_release("mini"), tmp_path / "releases" / "mini")


@pytest.fixture
def adbench(adbench_folder, monkeypatch):
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(adbench_folder))


@pytest.fixture
def baseline(run):
    from xadbench.evaluation.regression.baselines import save_baseline  # noqa: PLC0415  # as above

    save_baseline("main", "runs/mine")


# What an example finds where it runs.
THERE = {
    "xadbench check": "suite",
    "xadbench run": "suite",
    "xadbench score": "suite",
    "xadbench export": "suite",
    "xadbench import": "answers",
    "xadbench report": "run",
    "xadbench baseline": "baseline",
    "xadbench baseline save": "run",
    "xadbench baseline show": "baseline",
    "xadbench compare": "baseline",
    "xadbench history": "run",
    "xadbench reproduce": "adbench",
    "xadbench release": "release",
    "xadbench release verify": "release",
}


@pytest.fixture
def place(words, request, monkeypatch, tmp_path):
    """Work where what the example names is there, and nothing else."""
    monkeypatch.chdir(tmp_path)
    if words in THERE:
        request.getfixturevalue(THERE[words])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("words", EXAMPLES)
def test_the_example_runs(words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", shlex.split(EXAMPLES[words]))
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    out, err = capsys.readouterr()
    assert (exit_.value.code or 0) == 0
    assert "xadbench: " not in err  # progress alone
    assert out


def test_the_example_detector_keeps_its_contract(suite, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["xadbench", "check", "examples/mine.py:MyDetector", "--detector"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert (exit_.value.code or 0) == 0, capsys.readouterr().out
