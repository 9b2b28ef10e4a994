"""Workflows, hooks and settings of services name what there is."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
STEPS = [
    pytest.param(step, id=f"{name}-{job}-{place}")
    for name, workflow in WORKFLOWS.items()
    for job, told in workflow["jobs"].items()
    for place, step in enumerate(told["steps"])
]
OTHERS = [
    ".github/dependabot.yml",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".github/ISSUE_TEMPLATE/config.yml",
    ".github/ISSUE_TEMPLATE/proposal.yml",
    ".pre-commit-config.yaml",
    ".readthedocs.yaml",
    "CITATION.cff",
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tox_environments():
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    named = {section.removeprefix("testenv:") for section in settings.sections() if ":" in section}
    return named | set(re.split(r",\s*", settings["tox"]["env_list"]))


def environments_run(text):
    return [name for names in re.findall(r"tox run -e (\S+)", text) for name in names.split(",")]


@pytest.mark.parametrize("name", OTHERS)
def test_settings_of_services_parse(name):
    assert isinstance(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_runs_tox_environments_that_there_are(name):
    scripts = [step.get("run", "") for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]
    assert set(environments_run("\n".join(scripts))) <= tox_environments()


def test_read_the_docs_runs_a_tox_environment_that_there_is():
    environments = environments_run((ROOT / ".readthedocs.yaml").read_text(encoding="utf-8"))
    assert environments
    assert set(environments) <= tox_environments()


def test_what_tox_runs_without_being_told_runs_on_github_too():
    asked = environments_run((ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))
    assert {"lint", "imports", "types", "tests", "docs", "coverage"} == set(asked)


@pytest.mark.parametrize("step", STEPS)
def test_actions_of_others_are_pinned_by_hash(step):
    used = step.get("uses", "./")
    assert used.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used)


@pytest.mark.parametrize("step", STEPS)
def test_no_script_holds_an_expression(step):
    assert "${{" not in step.get("run", "")


def test_workflows_may_read_alone_but_for_what_they_say():
    more = {
        (name, job, permission)
        for name, workflow in WORKFLOWS.items()
        for job, told in [("", workflow), *workflow["jobs"].items()]
        for permission, level in told.get("permissions", {}).items()
        if level != "read"
    }
    assert more == {("gate", "comment", "pull-requests"), ("release", "publish", "id-token")}
    assert all("permissions" in workflow for workflow in WORKFLOWS.values())


def test_only_what_was_tried_is_published():
    jobs = WORKFLOWS["release"]["jobs"]
    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish"}


def test_hooks_have_the_versions_of_the_constraints():
    known = set((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    used = {one for hook in repository["hooks"] for one in hook.get("additional_dependencies", [])}
    assert used
    assert used <= known


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
