"""The sessions of a run: each process that worked in its folder, and went on where others stopped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xadbench.evaluation.results import store
from xadbench.evaluation.results.provenance import now

About = dict[str, Any]  # what a run's `run.json` says
OWN = ("command", "commit", "process", "started", "ended", "workers", "executor")
# What all sessions on one machine have in common; said of an earlier one where it differs from the last.
SHARED = ("platform", "cpu", "cpus", "memory_bytes", "threads", "blas", "blas_versions")


@contextmanager
def session(run: Path, before: Mapping[str, Any], about: About) -> Iterator[None]:
    """Write to `run.json` that a session begins, and at the end that it is over; not if it is broken off.

    Parameters
    ----------
    run
        The run's folder.
    before
        What its `run.json` says of earlier sessions; that of older versions has no `sessions`, and knows the
        last one alone. Empty where there was none.
    about
        What is known of this one, as `provenance` has it: what `run.json` says next, with all `sessions`.
    """
    path, earlier = run / "run.json", before.get("sessions", [before] if before else [])
    about = about | {"sessions": [*(_short(before, one, about) for one in earlier), _own(about)]}
    store.write_json(path, about)
    yield
    about = about | {"ended": now()}
    store.write_json(path, about | {"sessions": list(_with_those_of(store.read_json(path) or {}, about))})


def _with_those_of(others: Mapping[str, Any], about: About) -> Iterator[dict[str, Any]]:
    """Yield the sessions until now, with those that began, or ended, meanwhile in the same folder."""
    found = {_identity(one): one for one in others.get("sessions", [])}
    for one in about["sessions"][:-1]:
        other = found.pop(_identity(one), one)
        yield one if one.get("ended") else one | {"ended": other.get("ended")}
    found.pop(_identity(about), None)
    yield _own(about)
    for one in found.values():
        yield _short(others, one, about)


def _identity(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return one.get("started"), one.get("process")


def _own(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: about[name] for name in OWN if name in about}


def _short(before: Mapping[str, Any], one: Mapping[str, Any], about: About) -> dict[str, Any]:
    """Return an earlier session: what is its own, and what differs from the session that `about` is of."""
    versions = before.get("versions", {}) | one.get("versions", {})
    others = {name: versions[name] for name in versions if versions[name] != about["versions"].get(name)}
    shared = {name: one.get(name, before.get(name)) for name in SHARED}
    differing = {name: value for name, value in shared.items() if value != about[name]}
    return _own(one) | differing | ({"versions": others} if others else {})
