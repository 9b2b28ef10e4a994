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
def trial(trial_record):
    def made(*labels, **changes):
        return as_trial(trial_record(*labels, **changes), "a record")

    return made


def as_text(shown):
    console = Console(width=100, file=io.StringIO())
    console.print(shown)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def terminal(force):
    return Console(file=io.StringIO(), force_terminal=force, width=100)


def work_of(*trials, fit=10.0, trial=1.0):
    """Return the work of trials, and of fitting their detectors."""
    fits = dict.fromkeys((UnderWay(table, detector, None, seed) for table, detector, _, seed in trials), fit)
    return fits | dict.fromkeys((UnderWay(*one) for one in trials), trial)


FOUR = [("alpha", detector, explainer, 0) for detector in ("forest", "knn") for explainer in ("good", "fair")]


def test_the_table_counts_trials_and_names_those_under_way(clock, trial):
    shown = RunProgress(work_of(*FOUR), terminal(force=True))
    with shown:
        clock.now = 5  # preparing tables
        shown.show([UnderWay("alpha", "forest", None, 0)])
        assert as_text(shown._screen())[1] == "0 of 4 1 0 0:00:05 about 0:00:24"  # as its work says
        clock.now = 27
        shown.advance(trial("alpha", 0, "forest", "good"), True)
        shown.advance(trial("alpha", 0, "forest", "fair", status="timeout"), True)
        clock.now = 29
        shown.show([UnderWay("alpha", "knn", None, 0)])
        lines = as_text(shown._screen())
    assert lines[0] == "done running failed time left"
    assert lines[1] == "2 of 4 1 1 0:00:29 about 0:00:24"  # a fit and its two trials took 24 s
    assert lines[3:] == ["under way for", "alpha / knn / (fitting), seed 0 0:00:00"]


def test_fits_are_work_so_that_the_remaining_time_falls(clock, trial):
    """Fits that take as long as was expected: it falls a second each second, in them and between."""
    shown = RunProgress(work_of(*FOUR), terminal(force=True))
    left = []
    for detector in ("forest", "knn"):
        steps = [(None, 10), ("good", 1), ("fair", 1)]
        for explainer, took in steps:
            shown.show([UnderWay("alpha", detector, explainer, 0)])
            for _ in range(took):
                left.append(shown._left(clock.now))
                clock.now += 1
            if explainer is not None:
                shown.advance(trial("alpha", 0, detector, explainer), True)
    assert left == [f"about 0:00:{24 - i:02}" for i in range(24)]


def test_what_an_earlier_run_did_is_no_work_of_this_one(clock, trial):
    shown = RunProgress(work_of(*FOUR), terminal(force=True))
    shown.count(trial("alpha", 0, "forest", "good"), is_new=False)
    assert shown._left(clock.now) == "about 0:00:23"  # its detector is to be fitted for the other one
    shown.count(trial("alpha", 0, "forest", "fair"), is_new=False)
    clock.now = 3  # what others did does not make this machine fast
    assert shown._left(clock.now) == "about 0:00:12"
    assert shown.n_done == 2


def test_more_detail_says_what_took_how_long_and_where_a_trial_failed(trial):
    console = terminal(force=False)
    traceback = 'Traceback:\n  File "mine.py", line 3, in explain\n    raise ValueError\nValueError: no'
    how = {"status": "error", "reason": "ValueError: no", "traceback": traceback, "elapsed_seconds": 2.5}
    record = trial("alpha", 0, "forest", "good", **how)
    with RunProgress(work_of(*FOUR), console, is_verbose=True) as shown:
        shown.advance(record, True)
    said = console.file.getvalue()
    assert all(
        part in said for part in ("trial 2.50 s", "ValueError: no", 'File "mine.py", line 3, in explain')
    )


def test_quiet_progress_says_nothing(trial):
    console = Console(file=io.StringIO(), quiet=True)
    with RunProgress(work_of(*FOUR), console) as shown:
        shown.advance(trial("alpha", 0, "forest", "good"), True)
    assert console.file.getvalue() == ""


def test_a_name_that_looks_like_markup_is_shown_as_it_is(clock):
    shown = RunProgress({}, terminal(force=True))
    shown.show([UnderWay("[/b]", "[red]", "x", 0)])
    assert as_text(shown._screen())[-1] == "[/b] / [red] / x, seed 0 0:00:00"


def test_the_detector_being_fitted_is_named_and_a_long_list_cut(clock):
    shown = RunProgress({}, terminal(force=True))
    shown.show([UnderWay("alpha", "forest", None, seed) for seed in range(MOST_SHOWN + 3)])
    lines = as_text(shown._screen())
    assert lines[4] == "alpha / forest / (fitting), seed 0 0:00:00"
    assert lines[-1] == "and 3 more"
    assert len(lines) == 4 + MOST_SHOWN + 1


@pytest.mark.parametrize("force", [True, False])
def test_a_terminal_gets_a_live_table_and_a_file_a_line_a_trial(force, trial):
    console = terminal(force)
    with RunProgress(work_of(*[("alpha", "forest", "good", seed) for seed in (0, 1)]), console) as shown:
        shown.advance(trial("alpha", 0, "forest", "good"), True)
        shown.advance(trial("alpha", 1, "forest", "good"), False)
    finished = console.file.getvalue()
    assert ("2 of 2" in finished) == force
    assert ("\x1b[" in finished) == force
    assert ("[2/2] alpha / forest / good, seed 1: ok, from an earlier run\n" in finished) != force


def test_a_run_tells_what_is_under_way(small_suite, tmp_path):
    finished = []
    run_suite(small_suite.model_copy(update={"seeds": (3,)}), tmp_path, on_running=finished.append)
    steps = [None, "z_score", "random", "oracle", "oracle_network", "truth", "inverted_truth"]
    assert finished == [[("table2-d10-5", "distance", step, 3)] for step in steps]


@pytest.mark.parametrize(("step", "explainer"), [(None, ()), ("-1", (None,)), ("1", ("random",)), ("6", ())])
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
