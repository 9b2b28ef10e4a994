"""What a terminal shows of names and reasons: as they are, whatever they look like."""

import pytest

SUITE = """\
name: s
tables: [{recipe: table2-d4-5, rows: 200, name: "[/t]"}]
detectors: [{name: gaussian, label: "[/d]\\u001b[31m"}]
explainers: [{name: z_score, label: "[b]x[/b]\\u001b[2J"}, "mine.py:bad"]
"""
CODE = 'def bad(detector, background, X):\n    raise ValueError("[/red] in [bold]\\x1b[31m")\n'
DETECTOR, EXPLAINER, REASON = r"[/d]\x1b[31m", r"[b]x[/b]\x1b[2J", r"ValueError: [/red] in [bold]\x1b[31m"


def shown(out):
    """Return the words of what was printed, of which no character steers the terminal."""
    assert all(char.isprintable() or char == "\n" for char in out)
    return " ".join(out.split())


@pytest.fixture
def files(code_folder):
    (code_folder / "s.yaml").write_text(SUITE)
    (code_folder / "mine.py").write_text(CODE)


@pytest.mark.usefixtures("files")
def test_no_name_and_no_reason_is_markup_or_steers_the_terminal(xadbench, code_folder):
    code, out, err = xadbench("run", "s.yaml", "--out", "run")
    assert code == 3
    assert f"/ {DETECTOR} / {EXPLAINER}, seed 0: ok" in shown(err)
    assert f"{DETECTOR}: AUC-ROC" in shown(out)
    assert f"bad on {DETECTOR}: 0/1 trials: {REASON}" in shown(out)
    board = shown((code_folder / "run" / "leaderboard.md").read_text())
    assert board.count(r"\[b\]x\[/b\]\\x1b\[2J") == 2  # over all tables, and per table
    assert r"ValueError: \[/red\] in \[bold\]\\x1b\[31m" in board
    code, out, err = xadbench("compare", "run", "run", "--no-time")
    assert (code, err) == (0, "")
    assert EXPLAINER in shown(out)
    code, out, err = xadbench("score", "mahalanobis", "--name", "[/q]\x1b", "--suite", "s.yaml", "-v")
    assert code == 3
    assert shown(err)
    assert f"On {DETECTOR}, AUC-ROC" in shown(out)
    assert r"[/q]\x1b: place " in shown(out)
    assert f" {EXPLAINER} " in shown(out)
