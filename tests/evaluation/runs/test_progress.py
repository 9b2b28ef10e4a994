import io
import sys

import pytest
from rich.console import Console

from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.runs import progress
from xadbench.evaluation.runs.execution import UnderWay
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.runs.progress import MOST_SHOWN, RunProgress
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.runs.supervision import Task


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(progress, "time", Clock())
    return progress.time


@pytest.fixture
def record(trial_record):
    return as_trial(trial_record("alpha", 0, "forest", "good"), "a record")


def as_text(shown):
    console = Console(width=100, file=io.StringIO())
    console.print(shown)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def terminal(force):
    return Console(file=io.StringIO(), force_terminal=force, width=100)


def test_the_table_counts_trials_and_names_those_under_way(clock, record):
    shown = RunProgress(10, terminal(force=True))
    with shown:
        clock.now = 5  # preparing tables
        shown.show([UnderWay("alpha", "forest", None, 0), UnderWay("alpha", "knn", "good", 1)])
        assert as_text(shown._screen())[1] == "0 of 10 2 0 0:00:05 unknown"
        clock.now = 25
        shown.advance(record, True)
        shown.advance(record.model_copy(update={"status": "timeout"}), True)
        shown.show([UnderWay("alpha", "knn", "good", 1)])
        lines = as_text(shown._screen())
    assert lines[0] == "done running failed time left"
    assert lines[1] == "2 of 10 1 1 0:00:25 about 0:01:20"  # 8 are left, two took 20 s
    assert lines[3:] == ["under way for", "alpha / knn / good, seed 1 0:00:20"]


def test_a_name_that_looks_like_markup_is_shown_as_it_is(clock):
    shown = RunProgress(1, terminal(force=True))
    shown.show([UnderWay("[/b]", "[red]", "x", 0)])
    assert as_text(shown._screen())[-1] == "[/b] / [red] / x, seed 0 0:00:00"


def test_the_detector_being_fitted_is_named_and_a_long_list_cut(clock):
    shown = RunProgress(100, terminal(force=True))
    shown.show([UnderWay("alpha", "forest", None, seed) for seed in range(MOST_SHOWN + 3)])
    lines = as_text(shown._screen())
    assert lines[4] == "alpha / forest / (fitting), seed 0 0:00:00"
    assert lines[-1] == "and 3 more"
    assert len(lines) == 4 + MOST_SHOWN + 1


@pytest.mark.parametrize("force", [True, False])
def test_a_terminal_gets_a_live_table_and_a_file_a_line_a_trial(force, record):
    console = terminal(force)
    with RunProgress(2, console) as shown:
        shown.advance(record, True)
        shown.advance(record.model_copy(update={"seed": 1}), False)
    finished = console.file.getvalue()
    assert ("2 of 2" in finished) == force
    assert ("\x1b[" in finished) == force
    assert ("[2/2] alpha / forest / good, seed 1: ok, from an earlier run\n" in finished) != force


def test_a_run_tells_what_is_under_way(small_suite, tmp_path):
    finished = []
    run_suite(small_suite.model_copy(update={"seeds": (3,)}), tmp_path, on_running=finished.append)
    steps = [None, "z_score", "random", "oracle", "truth", "inverted_truth"]
    assert finished == [[("table2-d10-5", "distance", step, 3)] for step in steps]


@pytest.mark.parametrize(("step", "explainer"), [(None, ()), ("-1", (None,)), ("1", ("random",)), ("5", ())])
def test_a_worker_tells_which_trial_is_under_way(small_suite, tmp_path, step, explainer):
    if step is not None:
        (tmp_path / "step").write_text(step)
    job = plan(small_suite)[0]
    assert [trial.explainer for trial in Task(0, job, tmp_path).under_way()] == list(explainer)


def test_the_command_shows_what_is_under_way(tmp_path, monkeypatch):
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "{name: mine, tables: [{recipe: table2-d4-5, rows: 200}], "
        "detectors: [distance], explainers: [z_score]}"
    )
    finished = []
    monkeypatch.setattr(RunProgress, "show", lambda self, running: finished.extend(running))
    monkeypatch.setattr(sys, "argv", ["xadbench", "run", str(suite), "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert [one.explainer for one in finished[:2]] == [None, "z_score"]
