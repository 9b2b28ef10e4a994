"""What determines a trial's result, and the key made of it."""

import json
from collections.abc import Callable, Container, Iterable, Iterator
from hashlib import sha256
from typing import Any

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.user_code import short_name
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.suite.controls import CONTROLS, ORACLE, VERSION
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import Source

from .scopes import RANKED, Measures

PREPROCESSING_VERSION = 1


def trial_key(source: Source, detector: Component, explainer: Component, measures: Measures = RANKED) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a trial's result.

    Raises
    ------
    InputError
        If a detector or explainer, or a parameter of one, is unknown.
    """
    return next(trial_keys(source, detector, [explainer], measures))


def trial_keys(
    source: Source, detector: Component, explainers: Iterable[Component], measures: Measures = RANKED
) -> Iterator[str]:
    """Yield the key of each explainer's trial on the same fitted detector; see `trial_key`."""
    shared = _of_fit(source, detector) | {"metrics": measures.identity()}
    for explainer in explainers:
        yield _hash(shared | {"explainer": _identity(explainer, source, CONTROLS, make_explainer)})


def fit_key(source: Source, detector: Component) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a fitted detector."""
    return _hash(_of_fit(source, detector))


def _of_fit(source: Source, detector: Component) -> dict[str, Any]:
    training = {} if source.training is None else {"training": source.training_hash}
    return training | {
        "table": source.hash,
        "preprocessing": PREPROCESSING_VERSION,
        "detector": _identity(detector, source, {ORACLE}, make_detector),
        "seed": source.seed,
    }


def components(
    source: Source, detector: Component, explainer: Component, measures: Measures = RANKED
) -> dict[str, Any]:
    """Return, as JSON values, versions and parameters of a trial's detector, explainer and metrics.

    What a trial's key is made of, but for the table.
    """
    return {
        "detector": _made(detector, source, {ORACLE}, make_detector),
        "explainer": _made(explainer, source, CONTROLS, make_explainer),
        "metrics": measures.identity(),
    }


def _made(
    component: Component, source: Source, controls: Container[str], make: Callable[..., Any]
) -> dict[str, Any]:
    if component.name in controls:  # its identity holds the table's whole network
        return {component.name: {"version": VERSION, "params": {}}}
    own: dict[str, Any] = _identity(component, source, controls, make)["made"]
    return own


def _hash(determined_by: dict[str, Any]) -> str:
    return sha256(json.dumps(determined_by, sort_keys=True, default=str).encode()).hexdigest()


def _identity(
    component: Component, source: Source, controls: Container[str], make: Callable[..., Any]
) -> dict[str, Any]:
    if component.name not in controls:
        made = make(component.name, random_state=source.seed, **component.params)
        return {"params": component.params, "made": identity(short_name(component.name), made)}
    if component.params:
        raise InputError(f"control {component.name!r} takes no parameters")
    return {"name": component.name, "network": source.network_json, "version": VERSION}
