from io import StringIO

import numpy as np
from rich.console import Console

from xadbench.dsil.detectors import progress as module
from xadbench.dsil.detectors.progress import FitProgress, silent_fits


def shown(n_steps, *, verbose=True, **settings):
    console = Console(file=StringIO(), width=80, **settings)
    with FitProgress("epoch", n_steps, verbose=verbose, console=console) as progress:
        for epoch in range(1, n_steps + 1):
            progress.advance(epoch, loss=1 / epoch, unknown=np.nan)
    return console.file.getvalue()


def test_a_long_training_is_twenty_plain_lines_elsewhere():
    lines = shown(400).splitlines()
    assert len(lines) == 20
    assert lines[0] == "epoch 20/400: loss 0.05"
    assert lines[-1] == "epoch 400/400: loss 0.0025"


def test_a_short_one_has_a_line_for_every_step():
    assert len(shown(15).splitlines()) == 15


def test_a_bar_with_number_and_loss_is_shown_on_a_terminal():
    text = shown(4, force_terminal=True)
    assert "loss 0.25" in text
    assert "4/4" in text
    assert "epoch 4" not in text


def test_a_long_fit_that_nobody_asked_about_has_a_bar_on_a_terminal_alone(monkeypatch):
    assert shown(4, verbose=None, force_terminal=True) == ""  # it takes no time
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    assert "4/4" in shown(4, verbose=None, force_terminal=True)
    assert shown(4, verbose=None) == ""


def test_no_fit_reports_where_something_else_does(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with silent_fits():
        assert shown(4, verbose=None, force_terminal=True) == ""
        assert "4/4" in shown(4, verbose=True, force_terminal=True)
    assert shown(4, verbose=False, force_terminal=True) == ""
