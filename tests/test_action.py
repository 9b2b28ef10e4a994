"""The GitHub action and the workflow that uses it: what they say, and what their scripts do."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from xadbench.evaluation.results import store

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "action.yml", ROOT / ".github" / "actions" / "comment" / "action.yml"]
ACTION, COMMENTING = (yaml.safe_load(path.read_text()) for path in FILES)
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())
STEPS = {step["name"]: step for one in (ACTION, COMMENTING) for step in one["runs"]["steps"]}
SCRIPTS = {name: step for name, step in STEPS.items() if "run" in step}
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
DEFAULTS = {f"inputs.{name}": value.get("default", "") for name, value in ACTION["inputs"].items()}
SUITE = """\
name: tiny
tables: [{recipe: table2-d4-5, rows: 200}]
detectors: [gaussian]
explainers: [z_score, random]
seeds: [0, 1]
"""

# The pull request's comments as GitHub's command line finds, changes and adds them; a folder keeps them.
GH = """\
import re, sys
from pathlib import Path
folder, arguments = Path("comments"), sys.argv[1:]
folder.mkdir(exist_ok=True)
place = lambda id: folder / f"{id:03}"
match arguments:
    case ["api", "--paginate", "repos/o/r/issues/7/comments?per_page=100", "--jq", wanted]:
        assert wanted.startswith('.[] | select(.user.login == "github-actions[bot]" and ')
        mark = re.search(r'startswith[(]"(<!-- xadbench [0-9a-f]{40} -->)"[)]', wanted)[1]
        for path in sorted(folder.iterdir()):
            if path.read_text().startswith(mark):
                print(int(path.name))
    case ["api", "--silent", "--method", "PATCH", url, "-F", body] if body.startswith("body=@"):
        changed = place(int(url.removeprefix("repos/o/r/issues/comments/")))
        assert changed.exists()
        changed.write_text(Path(body.removeprefix("body=@")).read_text())
    case ["pr", "comment", "7", "--repo", "o/r", "--body-file", body]:
        place(len(list(folder.iterdir()))).write_text(Path(body).read_text())
    case _:
        sys.exit(f"not expected: {arguments}")
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are bash's")


@pytest.fixture
def step(tmp_path):
    """Run a step of the action as GitHub does; return its exit code and what it wrote to the error stream."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh.py").write_text(GH)
    for name, code in {
        "xadbench": '-P -c "from xadbench.evaluation.cli.app import main; main()"',
        "gh": f'"{tools}/gh.py"',
    }.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {code} "$@"\n')
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
            "github.workflow": "gate",
            "steps.score.outputs.place": str(tmp_path),
        }
        output = tmp_path / "output"
        said = dict(line.split("=", 1) for line in output.read_text().splitlines()) if output.exists() else {}
        given |= {f"steps.score.outputs.{key}": value for key, value in said.items()}
        if name == "Comment":
            _pass_artifact(Path(given["steps.score.outputs.place"]), tmp_path / "xadbench-comment")
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


def _pass_artifact(place, fetched):
    """Do what uploading the comment of one job and downloading it in another do."""
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir()
    if (place / "comment.md").exists():
        shutil.copy(place / "comment.md", fetched)


@pytest.fixture
def refusing(step, tmp_path):
    """A command `xadbench` that refuses all, as the real one does wrong input, but at once."""
    (tmp_path / "tools" / "xadbench").write_text("#!/bin/sh\nexit 2\n")


def outputs(tmp_path):
    """Return the folders that the step "Score" named last: where it works, and the run."""
    said = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    return Path(said["place"]), Path(said["run"])


def comments(tmp_path):
    return [path.read_text() for path in sorted((tmp_path / "comments").glob("*"))]


def test_no_script_holds_an_expression():
    assert [name for name, step in SCRIPTS.items() if "${{" in step["run"]] == []
    assert {step["shell"] for step in SCRIPTS.values()} == {"bash"}


def test_expressions_name_what_there_is():
    known = {*DEFAULTS, "runner.temp", "github.action_path", "github.token", "github.repository"}
    known |= {"github.event.pull_request.number", "github.workflow"}
    known |= {"steps.score.outputs.run", "steps.score.outputs.place"}
    for path in FILES:
        assert set(EXPRESSION.findall(path.read_text())) <= known
    conditions = " ".join(str(step.get("if", "")) for step in STEPS.values())
    assert {f"inputs.{name}" for name in re.findall(r"inputs\.([\w-]+)", conditions)} <= set(DEFAULTS)


def test_the_workflow_uses_the_action_with_inputs_that_it_has():
    assert (
        WORKFLOW[True] == "pull_request"
    )  # YAML reads `on` as true; pull_request_target would hand out secrets
    assert WORKFLOW["permissions"] == {"contents": "read"}
    own = [one for job in WORKFLOW["jobs"].values() for one in job["steps"] if one["uses"] == "./"]
    assert len(own) == len(WORKFLOW["jobs"]) - 1
    assert {key for one in own for key in one["with"]} <= set(ACTION["inputs"])
    assert not any("run" in one for job in WORKFLOW["jobs"].values() for one in job["steps"])


def test_only_a_job_that_runs_no_code_of_a_pull_request_may_write():
    writing = {name: job for name, job in WORKFLOW["jobs"].items() if "permissions" in job}
    assert list(writing) == ["comment"]
    checkout, comment = writing["comment"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert comment == {"uses": "./.github/actions/comment"}
    assert not any("GH_TOKEN" in step.get("env", {}) for step in ACTION["runs"]["steps"])
    scripts = " ".join(step.get("run", "") for step in COMMENTING["runs"]["steps"])
    assert not re.search(r"python|pip|xadbench (run|score)", scripts)


def test_actions_are_pinned_by_hash():
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert used
    assert [one for one in used if not re.search("@[0-9a-f]{40}$", one)] == []


def test_pip_is_not_that_of_the_checkout(tmp_path):
    (tmp_path / "pip.py").write_text("print('pwned')")
    flags = re.search(r"python (.*)-m pip", STEPS["Install"]["run"])[1].split()
    said = subprocess.run(  # noqa: S603  # our own flags
        [sys.executable, *flags, "-m", "pip", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pwned" not in said.stdout


def test_an_explainer_is_scored_compared_and_commented_on(step, tmp_path):
    code, said = step("Score", explainer="robust_z")
    assert code == 0, said
    place, run = outputs(tmp_path)
    assert run == place / "run"
    base = tmp_path / "base"
    for path in store.paths(run):
        record = store.read_json(path)
        store.write_json(base / "trials" / path.name, record)
        for scores in record["scores"].values():
            if scores["adjusted_ndcg_m"] is not None:
                scores["adjusted_ndcg_m"] -= 0.05
        store.write_json(path, record)
    assert step("Compare", base="base") == (1, "")
    assert step("Compare", base="base", tolerance="0.06", **{"time-tolerance": "9"}) == (0, "")
    assert step("Compare", base="gone")[0] == 2
    assert step("Summarise") == (0, "")
    assert step("Comment") == (0, "")
    assert "### XADBench gate passed" in (tmp_path / "summary").read_text()
    (comment,) = comments(tmp_path)
    assert "### XADBench gate passed" in comment
    assert "robust_z" in comment


def test_without_an_explainer_the_suite_is_run(step, tmp_path):
    code, said = step("Score")
    assert code == 0, said
    assert (outputs(tmp_path)[1] / "results.parquet").exists()
    assert step("Summarise") == (0, "")
    assert step("Comment") == (0, "")
    assert comments(tmp_path) == []  # nothing was compared


def test_each_use_has_its_place_and_its_comment_which_the_next_push_replaces(step, tmp_path):
    def use(artifact, said):
        place = Path(tempfile.mkdtemp(dir=tmp_path))
        (tmp_path / "output").write_text(f"place={place}\n")
        (place / "score.md").write_text(said)
        assert step("Summarise") == (0, "")
        assert step("Comment", artifact=artifact) == (0, "")

    (tmp_path / "comments").mkdir()
    (tmp_path / "comments" / "000").write_text("I like it.\n")
    for artifact, said in [("a", "first"), ("b", "other"), ("a", "second"), ('"--> $(x)', "odd")]:
        use(artifact, said)
    heads, bodies = zip(*(text.split("\n", 1) for text in comments(tmp_path)), strict=True)
    assert [body.strip() for body in bodies] == ["", "second", "other", "odd"]
    assert all(re.fullmatch("<!-- xadbench [0-9a-f]{40} -->", head) for head in heads[1:])


@pytest.mark.usefixtures("refusing")
def test_where_scoring_is_refused_what_was_commented_stays(step, tmp_path):
    assert step("Score", explainer="nope")[0] == 2
    assert step("Summarise") == (0, "")
    assert step("Comment") == (0, "")
    assert comments(tmp_path) == []


@pytest.mark.usefixtures("refusing")
def test_a_job_may_use_the_action_more_than_once(step, tmp_path):
    places = []
    for _ in range(2):
        assert step("Score", suite="gone.yaml")[0] == 2
        places.append(outputs(tmp_path)[0])
    assert places[0] != places[1]
    assert all(place.is_dir() for place in places)
    later = [one for one in ACTION["runs"]["steps"] if one["name"] not in {"Install", "Score"}]
    assert {one["env"]["PLACE"] for one in later if "run" in one} == {"${{ steps.score.outputs.place }}"}
    assert all("steps.score.outputs.place != ''" in one["if"] for one in later)


@pytest.mark.parametrize("text", ['$(touch pwned)"; touch pwned; "`touch pwned`', "--help"])
def test_what_a_pull_request_names_is_not_run(step, tmp_path, text):
    code, err = step("Compare", base=text)
    assert code == 2
    assert f"xadbench: {text}: not found" in err
    assert not (tmp_path / "pwned").exists()
