"""A suite's grid: its combinations, with one table for each that a release stands for, and the controls."""

import itertools
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import unknown
from xadbench.datasets.common.specs import build_spec
from xadbench.generator.releases.manifest import read_manifest

from .controls import ALWAYS, CONTROLS
from .spec import PARTS, Component, Suite, TableSpec

Combination = tuple[TableSpec, int, Component, tuple[Component, ...]]


def combinations(suite: Suite) -> Iterator[Combination]:
    """Yield each table, seed and detector with the explainers that include and exclude leave, and controls.

    Raises
    ------
    InputError
        If a release cannot be read, or a combination names what the suite does not have.
    """
    return combinations_of_resolved(resolve(suite))


def combinations_of_resolved(suite: Suite) -> Iterator[Combination]:
    """Yield the combinations of a suite that `resolve` returned."""
    explainers, added = suite.explainers, with_controls(suite)[len(suite.explainers) :]
    for spec, seed, detector in itertools.product(suite.tables, suite.seeds, suite.detectors):
        is_left = [suite.wants(spec.title, detector.label, one.label) for one in explainers]
        if any(is_left):
            both = zip(explainers, is_left, strict=True)
            stays = (one for one, left in both if left or (suite.controls and one.name in CONTROLS))
            yield spec, seed, detector, (*stays, *added)


def with_controls(suite: Suite) -> tuple[Component, ...]:
    """Return the suite's explainers and, behind them, the controls that it neither names nor switches off."""
    for explainer in suite.explainers:
        if explainer.label in ALWAYS and explainer.name != explainer.label:
            raise InputError(f"explainer {explainer.name!r} has the label of a control, {explainer.label!r}")
    named = {explainer.name for explainer in suite.explainers}
    added = ALWAYS if suite.controls else ()
    return (*suite.explainers, *(Component(name=name) for name in added if name not in named))


def n_trials(suite: Suite) -> int:
    """Return how many trials the suite has, controls included."""
    return sum(len(explainers) for *_, explainers in combinations(suite))


def resolve(suite: Suite) -> Suite:
    """Return the suite with one table for each that a release stands for, its combinations checked."""
    resolved = suite
    if any(spec.release is not None for spec in suite.tables):
        tables = [table for spec in suite.tables for table in _of_release(spec, suite.seeds)]
        resolved = build_spec(dict(suite) | {"tables": tables}, Suite, where=f"suite {suite.name}")
    for where in ("include", "exclude"):
        for i, combination in enumerate(getattr(resolved, where) or ()):
            for what, part in zip(("table", "detector", "explainer"), PARTS, strict=True):
                _check(f"{where}.{i}.{what}", getattr(combination, what), resolved.labels(part))
    labels = (resolved.labels(part) for part in PARTS)
    if not any(resolved.wants(*trial) for trial in itertools.product(*labels)):
        raise InputError(f"suite {suite.name}: include and exclude leave no trial of an explainer")
    return resolved


def _check(where: str, patterns: tuple[str, ...], labels: list[str]) -> None:
    known = set(labels)
    for pattern in patterns:
        if pattern not in known and not any(fnmatchcase(label, pattern) for label in labels):
            if pattern in CONTROLS:
                raise InputError(f"{where}: {pattern!r} is a control; controls: false leaves out all of them")
            raise unknown(f"label in {where}:", pattern, labels)


def _of_release(spec: TableSpec, seeds: tuple[int, ...]) -> Iterator[TableSpec]:
    if spec.release is None:
        yield spec
        return
    manifest = read_manifest(Path(spec.release))
    found = {(name.rpartition("/")[0], record.seed) for name, record in manifest.tables.items()}
    families = sorted({family for family, _ in found})
    if spec.table is not None and spec.table not in families:
        raise unknown(f"table of release {spec.release}:", spec.table, families)
    for family in families if spec.table is None else [spec.table]:
        for seed in seeds:
            if (family, seed) not in found:
                known = [known for name, known in found if name == family]
                raise unknown(f"seed of {family} in release {spec.release}:", str(seed), known)
        yield spec.model_copy(update={"table": family})
