"""What explainers outside Python are asked: rows of a table to explain, by a fitted detector's scores."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from xadbench.datasets.common.arrays import IntArray
from xadbench.datasets.rng import stream
from xadbench.datasets.table import free_names
from xadbench.evaluation.runs.jobs import InfeasibleTrials, Job, plan
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial.fit import Fitted

LONGEST = 60  # characters of a label in a file's name
BETWEEN = "--"  # in no label as part of a name, so that names of different tasks differ
HASHED = re.compile(r"-[0-9a-f]{8}$")


@dataclass(frozen=True, eq=False)
class Task:
    """A table, a detector and a seed of a suite."""

    job: Job

    @property
    def name(self) -> str:
        """A name for files: the same in every suite that has the task, and safe whatever the labels are."""
        source, detector = self.job.source, self.job.detector
        return BETWEEN.join([_safe(source.label), _safe(detector.label), f"seed-{source.seed}"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a file about it: one that identifies the row, then the features."""
        features = self.job.source.table.feature_names
        return *free_names(["row"], features), *features

    def ids(self) -> IntArray:
        """Return the number by which each row of the table goes, (n,): at random, as the order may tell."""
        source = self.job.source
        return stream(source.seed, "tasks", source.hash).permutation(source.table.n_rows)

    def requested(self, fitted: Fitted) -> IntArray:
        """Return the table's rows to explain, by their ids: those that are scored, and as many others.

        Alone, the rows that are scored would say of themselves that they are anomalies: those, at least, that
        the detector does not flag. The others are the same for every detector and seed of a table: else it is
        the anomalies that all of its tasks ask for.
        """
        scored = fitted.rows_to_explain()
        order = stream(0, "tasks", "others", self.job.source.hash).permutation(fitted.table.n_rows)
        others = order[~np.isin(order, scored)]
        rows = np.concatenate([scored, others[: len(scored)]])
        return rows[np.argsort(self.ids()[rows])]


def tasks(
    suite: Suite,
    on_infeasible: Callable[[InfeasibleTrials], object] = lambda infeasible: None,  # noqa: ARG005  # named as in `plan`
) -> list[Task]:
    """Return the tasks of a suite: those on tables that can be made and with known ground truth."""
    return [Task(job) for job in plan(resolve(suite), on_infeasible) if job.source.table.mask is not None]


def _safe(label: str) -> str:
    """Return a label as part of a file's name; where that changes it, a hash keeps it apart from others."""
    safe = re.sub(r"[^A-Za-z0-9._]+", "-", label)[:LONGEST].strip(".-")
    if safe == label and not HASHED.search(label):
        return label
    return f"{safe}-{sha256(label.encode()).hexdigest()[:8]}".lstrip("-")
