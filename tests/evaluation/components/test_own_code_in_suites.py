"""The user's own code in suites: its labels, its runs, and what follows when it changes."""

import re
import subprocess
import sys

import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.suite.spec import Suite


def suite(**changes):
    parts = {"name": "s", "tables": [{"recipe": "table2-d4-5", "rows": 60}], "detectors": ["mine:Scores"]}
    return Suite.model_validate(parts | {"explainers": ["mine.py:Far"]} | changes)


@pytest.mark.parametrize(
    ("explainers", "labels"),
    [
        (["mine:Far", "z_score"], ["Far", "z_score"]),
        ([{"name": "mine:Far", "params": {"power": 2}}, "mine:Far"], ["Far(power=2)", "Far"]),
        (["mine:Far", "other.py:Far"], ["mine:Far", "other.py:Far"]),
        (["mine:z_score", "z_score"], ["mine:z_score", "z_score"]),
        ([{"name": "mine:Far", "label": "a"}, {"name": "b:Far", "label": "Far"}], ["a", "Far"]),
        ([{"name": "mine:Far", "grid": {"power": [1, 2]}}], ["Far(power=1)", "Far(power=2)"]),
    ],
)
def test_a_label_is_the_objects_name_where_that_is_enough(explainers, labels):
    assert suite(explainers=explainers).labels("explainers") == labels


@pytest.mark.usefixtures("acme")
def test_a_suite_takes_all_by_the_same_names(folder):
    requested = suite(
        tables=[{"dataset": "mine.py:triple"}, {"dataset": "acme_table"}],
        detectors=["acme_scores"],
        explainers=["mine.py:Far", "mine:attributions", "acme_far"],
    )
    records = run_suite(requested, folder / "run")
    assert {record.explainer.label for record in records} >= {"Far", "attributions", "acme_far"}
    assert {record.status for record in records if not record.explainer.label.startswith("oracle")} == {"ok"}


def test_a_worker_loads_the_users_code_itself(folder):
    requested = suite(
        explainers=["mine.py:Far", "mine:attributions"], timeout=100
    )  # contained in a worker, of one
    (folder / "s.yaml").write_text(requested.model_dump_json(exclude_none=True))
    code = "from xadbench.evaluation.cli.app import main; main()"
    command = [sys.executable, "-P", "-c", code, "run", "s.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own code
    assert done.returncode == 0
    assert done.stderr.count(" / Scores / Far, seed 0: ok") == 1


@pytest.mark.parametrize(
    ("part", "again"), [("Far", {"Far"}), ("attributions", {"attributions"}), ("Scores", None)]
)
def test_changed_code_is_never_served_from_stored_trials(folder, part, again):
    mine = (folder / "mine.py").read_text()
    for name in ("Far", "attributions", "Scores"):
        (folder / f"{name}.py").write_text(mine)
    requested = suite(
        detectors=["Scores.py:Scores"], explainers=["Far.py:Far", "attributions.py:attributions"]
    )

    def computed():
        new = []
        run_suite(requested, folder / "run", on_trial=lambda record, is_new: new.append((record, is_new)))
        return {record.explainer.label for record, is_new in new if is_new}

    every = computed()
    assert not computed()
    (folder / f"{part}.py").write_text(mine + "# changed\n")
    assert computed() == (again or every)
    (folder / f"{part}.py").write_text(mine)
    assert not computed()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [("text + '# more'", "was changed during the run; run again"), ("'1 / 0'", "InputError: .* raised Zero")],
)
def test_code_that_changes_during_the_run_gives_no_score(folder, changed, reason):
    write = f"place = Path(__file__); text = place.read_text(); place.write_text({changed})"
    mine = (folder / "mine.py").read_text()
    text = mine.replace("self.mean = ", f"{write}; self.mean = ")
    (folder / "changing.py").write_text(f"from pathlib import Path\n{text}")
    requested = suite(detectors=["mine.py:Scores"], explainers=["changing.py:Far", "mine.py:attributions"])
    records = {record.explainer.label: record for record in run_suite(requested, folder / "run")}
    assert records["Far"].status == "error"
    assert re.search(reason, records["Far"].reason)
    assert records["attributions"].status == "ok"
