"""The GitHub action and the workflow that uses it: what they say, and what their scripts do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from xadbench.evaluation import store

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
DEFAULTS = {f"inputs.{name}": value.get("default", "") for name, value in ACTION["inputs"].items()}
SUITE = """\
name: tiny
tables: [{recipe: table2-d4-5, rows: 200}]
detectors: [gaussian]
explainers: [z_score, random]
seeds: [0, 1]
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are bash's")


@pytest.fixture
def step(tmp_path):
    """Run a step of the action as GitHub does; return its exit code and what it wrote to the error stream."""
    tools = tmp_path / "tools"
    tools.mkdir()
    command = f'exec "{sys.executable}" -P -c "from xadbench.evaluation.cli import main; main()" "$@"'
    for name, script in {"xadbench": command, "gh": 'printf "%s\\n" "$@" > told; cat "$7" > body'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    (tmp_path / "tiny.yaml").write_text(SUITE)

    def run(name, **inputs):
        given = (
            DEFAULTS
            | {"inputs.suite": "tiny.yaml"}
            | {f"inputs.{key}": value for key, value in inputs.items()}
        )
        given |= {
            "runner.temp": str(tmp_path),
            "github.token": "t",
            "github.event.pull_request.number": "7",
            "github.repository": "o/r",
        }
        env = {
            key: EXPRESSION.sub(lambda found: given[found[1]], text)
            for key, text in STEPS[name]["env"].items()
        }
        files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
        path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
        script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
        done = subprocess.run(  # noqa: S603  # our own script
            script,
            cwd=tmp_path,
            env=os.environ | files | path | env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    return run


def test_no_script_holds_an_expression():
    assert [name for name, step in STEPS.items() if "${{" in step["run"]] == []
    assert {step["shell"] for step in STEPS.values()} == {"bash"}


def test_expressions_name_what_there_is():
    known = {*DEFAULTS, "runner.temp", "github.action_path", "github.token", "github.repository"}
    known |= {"github.event.pull_request.number", "steps.score.outputs.run"}
    assert set(EXPRESSION.findall((ROOT / "action.yml").read_text())) <= known
    conditions = " ".join(str(step.get("if", "")) for step in STEPS.values())
    assert {f"inputs.{name}" for name in re.findall(r"inputs\.([\w-]+)", conditions)} <= set(DEFAULTS)


def test_the_workflow_uses_the_action_with_inputs_that_it_has():
    assert (
        WORKFLOW[True] == "pull_request"
    )  # YAML reads `on` as true; pull_request_target would hand out secrets
    assert WORKFLOW["permissions"] == {"contents": "read", "pull-requests": "write"}
    own = [one for job in WORKFLOW["jobs"].values() for one in job["steps"] if one["uses"] == "./"]
    assert len(own) == len(WORKFLOW["jobs"])
    assert {key for one in own for key in one["with"]} <= set(ACTION["inputs"])
    assert not any("run" in one for job in WORKFLOW["jobs"].values() for one in job["steps"])


def test_an_explainer_is_scored_compared_and_commented_on(step, tmp_path):
    code, said = step("Score", explainer="robust_z")
    assert code == 0, said
    run = tmp_path / "xadbench" / "run"
    assert (tmp_path / "output").read_text() == f"run={run}\n"
    base = tmp_path / "base"
    for record in store.read_records(run):
        for scores in record["scores"].values():
            if scores["adjusted_ndcg_m"] is not None:
                scores["adjusted_ndcg_m"] += 0.05
        store.write_record(base, record)
    assert step("Compare", base="base") == (1, "")
    assert step("Compare", base="base", tolerance="0.06", **{"time-tolerance": "9"}) == (0, "")
    assert step("Compare", base="gone")[0] == 2
    assert step("Summarise") == (0, "")
    assert step("Comment") == (0, "")
    assert "### XADBench gate passed" in (tmp_path / "summary").read_text()
    assert "robust_z" in (tmp_path / "body").read_text()
    assert (tmp_path / "told").read_text().split()[:5] == ["pr", "comment", "7", "--repo", "o/r"]


def test_without_an_explainer_the_suite_is_run(step, tmp_path):
    code, said = step("Score")
    assert code == 0, said
    assert (tmp_path / "xadbench" / "run" / "results.parquet").exists()
    assert step("Summarise") == (0, "")
    assert step("Comment") == (0, "")
    assert not (tmp_path / "told").exists()  # nothing was compared


@pytest.mark.parametrize("text", ['$(touch pwned)"; touch pwned; "`touch pwned`', "--help"])
def test_what_a_pull_request_names_is_not_run(step, tmp_path, text):
    code, err = step("Compare", base=text)
    assert code == 2
    assert f"xadbench: {text}: not found" in err
    assert not (tmp_path / "pwned").exists()
