import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import xadbench as xadbench_package
from xadbench.datasets import read_table
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.cli.catalogue import CATALOGUE
from xadbench.evaluation.cli.lazy_commands import COMMANDS

QUICK_SUITE = """\
name: tiny
tables: [{recipe: table2-d4-5, rows: 200}]
detectors: [iforest]
explainers: [z_score, random, saliency]
"""


def test_a_suite_gives_a_leaderboard(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE)
    code, out, err = xadbench("run", "tiny.yaml")
    assert code == 0
    assert "[1/7] table2-d4-5 / iforest / z_score, seed 0: ok" in err
    assert "[1/7]" not in out
    for word in ("AUC-ROC", "chance", "inverted_truth", "saliency on iforest: 0/1 trials: "):
        assert word in out
    assert "| iforest " in (tmp_path / "runs" / "tiny" / "leaderboard.md").read_text()


def test_a_second_run_says_that_nothing_was_repeated(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE)
    first = xadbench("run", "tiny.yaml")[2]
    second = xadbench("run", "tiny.yaml")[2]
    assert second.count("from an earlier run") == 7
    assert first.count("from an earlier run") == 0


def test_a_dry_run_says_what_would_be_run(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE)
    code, out, _ = xadbench("run", "tiny.yaml", "--dry-run")
    assert code == 0
    assert "table2-d4-5 / iforest, seed 0: fit" in out
    assert "7 trials: 0 done in runs/tiny, 7 left\ntime: about " in out
    assert not (tmp_path / "runs").exists()


def test_a_program_gets_the_leaderboard_alone(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE)
    code, out, err = xadbench("run", "tiny.yaml", "--format", "json")
    assert code == 0
    assert "[7/7]" in err
    found = json.loads(out)
    assert (found["suite"], found["scope"]) == ("tiny", "detected")
    board = {row["explainer"]: row for row in found["leaderboard"]}
    assert board["truth"]["adjusted_ndcg_m"] == 1
    assert board["saliency"]["adjusted_ndcg_m"] is None
    assert (tmp_path / "runs" / "tiny" / "leaderboard.md").exists()


@pytest.mark.parametrize("arguments", [("run", "tiny.yaml", "-q"), ("--quiet", "run", "tiny.yaml")])
def test_quiet_is_results_alone(xadbench, tmp_path, arguments):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE)
    code, out, err = xadbench(*arguments)
    assert (code, err) == (0, "")
    assert "inverted_truth" in out


def test_verbose_says_why_a_trial_failed(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE.replace("saliency", "faulty"))
    assert 'conftest.py", line' in xadbench("run", "tiny.yaml", "-v")[2]
    assert 'conftest.py", line' not in xadbench("run", "tiny.yaml")[2]


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_has_help(xadbench, option):
    assert all(command in xadbench(option)[1] for command in COMMANDS)
    for words in ([], ["run"], ["baseline"], ["release", "build"]):
        code, out, _ = xadbench(*words, option)
        assert code == 0
        assert "Example: xadbench" in out


def test_the_version_is_told_without_what_is_slow_to_import():
    code = (
        "import sys; sys.argv = ['xadbench', '--version']\nfrom xadbench.evaluation.cli.app import main\n"
        "try: main()\nexcept SystemExit as end: print(end.code)\n"
        "print(sorted({'numpy', 'pandas', 'pydantic', 'rich', 'torch', 'yaml'} & set(sys.modules)))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603  # our own code
    assert out.splitlines() == [f"xadbench {xadbench_package.__version__}", "0", "[]"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("xadbench re", "release"), ("xadbench run qui", "quick"), ("xadbench list da", "datasets")],
)
def test_the_shell_completes_commands_and_names(words, expected):
    completing = {
        "_XADBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    out = subprocess.check_output(
        [sys.executable, "-m", "xadbench"],
        env=os.environ | completing,
        text=True,  # our own code
    )
    assert expected in out.split()
    assert "generate" not in out.split()


def test_what_can_be_listed_is_listed_in_the_order_that_people_count(xadbench):
    code, out, _ = xadbench("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(CATALOGUE)
    recipes = [line.split()[0] for line in xadbench("list", "recipes")[1].splitlines()]
    assert [one for one in recipes if one.startswith("contextual")][:2] == [
        "contextual-d10",
        "contextual-d30",
    ]
    assert recipes.index("contextual-d30") < recipes.index("contextual-d100")


def test_data_sets_are_listed_with_their_sizes(xadbench):
    out = xadbench("list", "datasets")[1]
    assert re.search("bundled:wine +79 rows, 13 features", out)
    assert re.search("adbench:WBC +223 rows, 9 features", out)


def test_real_faults_come_before_the_folder_that_exists_and_all_at_once(xadbench, tmp_path):
    (tmp_path / "taken").mkdir()
    to = ["--out", "taken"]
    assert "rows" in xadbench("generate", "table2-d4-5", "--rows", "1", *to)[2]
    err = xadbench("inject", "bundled:wien", "--kind", "globl", "--ratio", "2", *to)[2]
    assert all(part in err for part in ("did you mean wine", "did you mean global", "ratio is 2"))
    (tmp_path / "s.yaml").write_text(
        QUICK_SUITE.replace("iforest", "iforst").replace("saliency", "salency") + "metrics: [infidelty]\n"
    )
    for command in (["run", "s.yaml"], ["export", "--suite", "s.yaml"]):
        err = xadbench(*command, *to)[2]
        assert all(f"did you mean {one}" in err for one in ("iforest", "saliency", "infidelity"))
        assert err.count("\n") == 1
        (tmp_path / "unread.yaml").write_text(f"{(tmp_path / 's.yaml').read_text()}timeout: -3\nsede: [0]\n")
        err = xadbench(*[part.replace("s.yaml", "unread.yaml") for part in command], *to)[2]
        assert all(f"did you mean {one}" in err for one in ("seeds", "iforest", "saliency", "infidelity"))
        assert "timeout" in err
    assert "taken exists" in xadbench("generate", "table2-d4-5", *to)[2]


def test_the_suite_says_which_rows_to_rank_by_unless_the_command_does(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(f"{QUICK_SUITE}scope: flagged\n")
    assert "Rows: flagged" in xadbench("run", "tiny.yaml")[1]
    assert "Rows: anomalies" in xadbench("run", "tiny.yaml", "--scope", "anomalies")[1]


def test_a_failed_trial_shows_in_the_exit_code(xadbench, tmp_path):
    (tmp_path / "tiny.yaml").write_text(QUICK_SUITE.replace("saliency", "faulty"))
    code, out, _ = xadbench("run", "tiny.yaml")
    assert code == 3
    assert "faulty on iforest: 0/1 trials: RuntimeError: out of cheese" in out


def test_a_table_is_made_and_identified(xadbench, tmp_path):
    code, out, _ = xadbench("generate", "table2-d4-5", "--seed", 3)
    assert code == 0
    table = read_table(tmp_path / "tables" / "table2-d4-5-seed-3")
    assert (table.n_rows, table.n_features) == (5000, 4)
    content = json.loads((tmp_path / "tables" / "table2-d4-5-seed-3" / "table.json").read_text())
    assert content["content_hash"] in out


def test_anomalies_are_put_into_a_real_table(xadbench, tmp_path):
    code, out, _ = xadbench(
        "inject", "bundled:wine", "--kind", "global", "--kind", "local", "--ratio", "0.1", "--out", "w"
    )
    assert code == 0
    table = read_table(tmp_path / "w")
    assert table.kinds == ("normal", "global", "local")
    assert "71 rows" in out
    assert xadbench("inject", "w", "--ratio", "0.2", "--out", "w2")[0] == 0


def test_a_release_is_built_and_verified(xadbench, tmp_path):
    code, out, _ = xadbench("release", "build", "mini", "--out", "r")
    assert code == 0
    assert "r: 6 tables" in out
    assert "| cluster | 125    | 1.000    |" in (tmp_path / "r" / "DATASHEET.md").read_text()
    assert xadbench("release", "verify", "r", "--sample", 1)[0] == 0
    (tmp_path / "r" / "DATASHEET.md").write_text("altered")
    code, out, _ = xadbench("release", "verify", "r", "--sample", 1)
    assert code == 1
    assert "DATASHEET.md" in out


def test_a_recipe_is_audited(xadbench, tmp_path):
    code, out, _ = xadbench("audit", "table2-d4-5", "--json", "a.json")
    assert code == 0
    assert "single" in out
    assert "…" not in out
    assert json.loads((tmp_path / "a.json").read_text())["recipe"] == "table2-d4-5"


def test_a_users_file_is_injected(xadbench, tmp_path):
    (tmp_path / "my.csv").write_text(
        "a,b\n" + "\n".join(f"{i * 0.37 % 5},{i * 0.73 % 7}" for i in range(100))
    )
    assert xadbench("inject", "my.csv", "--kind", "additive", "--out", "t")[0] == 0
    assert read_table(tmp_path / "t").feature_names == ("a", "b")


@pytest.mark.parametrize(
    "what", ["recipes", "releases", "datasets", "detectors", "explainers", "metrics", "suites", "experiments"]
)
def test_everything_that_can_be_named_is_listed(xadbench, what):
    code, out, _ = xadbench("list", what)
    assert code == 0
    expected = {
        "recipes": "contextual-d30",
        "releases": "mini",
        "datasets": "adbench:PageBlocks",
        "detectors": "dsil_fixed",
        "explainers": "kernel_shap",
        "metrics": "ndcg_m",
        "suites": "table4-smoke",
        "experiments": "retention-study",
    }
    assert expected[what] in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "quik"], "unknown suite 'quik'.*; known: contextual, .*quick"),
        (["run", "gone.yaml"], "gone.yaml: cannot be read"),
        (["run", "quick", "--scope", "all"], "unknown scope 'all'.*; known: anomalies, detected, flagged"),
        (["generate", "table2"], "unknown recipe 'table2'.*; known: .*table2-d4-5"),
        (["generate", "table2-d4-5", "--seed", "-1"], "'--seed': .*greater than or equal to 0"),
        (["generate", "table2-d4-5", "--out", "taken"], "taken exists already"),
        (["inject", "wine"], "unknown data set 'wine' .*bundled:wine.*; expected bundled:NAME"),
        (["inject", "bundled:wine", "--ratio", "2"], "ratio"),
        (["inject", "bundled:wine", "--kind", "globl"], "globl"),
        (["inject", "bundled:wine", "--base", "tree"], "tree"),
        (["inject", "adbench:PageBlok"], "did you mean PageBlocks"),
        (["release", "build", "v0"], "unknown release 'v0'.*; known: mini, v2"),
        (["release", "verify", "taken"], "taken"),
        (["audit", "table3"], "unknown recipe 'table3'"),
        (["inject", "my.csv"], "my.csv"),
        (["list", "kinds"], "unknown list 'kinds'.*; known: datasets"),
        (["run"], "[Mm]issing argument"),
        (["frobnicate"], "[Nn]o such command"),
        (["list", "suites", "--wrong"], "[Nn]o such option"),
    ],
)
def test_wrong_input_gives_one_line_and_leaves_nothing(xadbench, tmp_path, arguments, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "my.csv").write_text("a,b\n1,x\n")
    code, out, err = xadbench(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("xadbench: ")
    assert err.count("\n") == 1
    assert re.search(message, err)
    assert {path.name for path in tmp_path.iterdir()} == {"taken", "my.csv"}


def test_no_command_shows_the_commands(xadbench):
    code, out, _ = xadbench()
    assert code == 0
    assert all(command in out for command in ("run", "generate", "inject", "list"))


def test_debug_shows_where_it_came_from(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["xadbench", "--debug", "run", "quik"])
    with pytest.raises(ValueError, match="unknown suite"):
        cli.main()


# What a shell starts in the background ignores interrupts, and so would its children.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from xadbench.evaluation.cli.app import main
main()
"""


def test_an_interrupt_says_how_to_go_on(tmp_path):
    (tmp_path / "tiny.yaml").write_text(
        QUICK_SUITE.replace("rows: 200", "rows: 5000").replace("iforest", "dte")
    )
    process = subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, "-c", INTERRUPTIBLE, "run", "tiny.yaml"],
        cwd=tmp_path,
        env=os.environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    while not (tmp_path / "runs" / "tiny" / "run.json").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert "Traceback" not in err


def test_an_internal_error_is_one_line_and_exit_code_4(xadbench, monkeypatch):
    def fail(*_, **__):
        message = "no\nluck"
        raise RuntimeError(message)

    monkeypatch.setattr(cli, "command", fail)
    code, _, err = xadbench("list", "recipes")
    assert code == 4
    assert err.count("\n") == 1
    assert "internal error: RuntimeError: no luck" in err
    assert "--debug" in err
