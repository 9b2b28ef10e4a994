"""What determines a trial's result, and the key made of it."""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

from xadbench.datasets.common.errors import InputError, check_all
from xadbench.datasets.common.user_code import short_name
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.suite.controls import CONTROLS, control_version
from xadbench.evaluation.suite.controls import DETECTORS as CONTROL_DETECTORS
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import KnownTable, Source

from .scopes import RANKED, Measures

PREPROCESSING_VERSION = 2
Table = Source | KnownTable


class Identities:
    """What components are, as JSON values: versions and parameters of each, and of those inside it.

    A component is made once a seed for that, however many tables, detectors and trials it takes part in;
    so its parameters are checked too.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, int, int], tuple[Component, dict[str, Any]]] = {}

    def of(self, component: Component, make: Callable[..., Any], seed: int) -> dict[str, Any]:
        """Return the identity of what `make` makes of a component.

        Raises
        ------
        InputError
            If its name, or a parameter, is unknown.
        """
        key = make, id(component), seed
        if key not in self._known:  # which keeps the component, so that no other takes its id
            made = make(component.made_from, random_state=seed, **component.params)
            self._known[key] = component, identity(short_name(component.name), made)
        return self._known[key][1]

    def check(self, detector: Component, explainers: Iterable[Component], seed: int) -> None:
        """Raise, all at once, what `of` does for a detector or explainers, or controls with parameters."""
        requested = ((one, CONTROLS, make_explainer) for one in explainers)
        parts: Iterable[tuple[Component, Container[str], Any]] = [
            (detector, CONTROL_DETECTORS, make_detector),
            *requested,
        ]
        check_all(partial(self._check, *part, seed) for part in parts)

    def _check(self, component: Component, controls: Container[str], make: Any, seed: int) -> None:
        if component.name not in controls:
            self.of(component, make, seed)
        elif component.params:
            raise InputError(f"control {component.name!r} takes no parameters")


def trial_key(source: Table, detector: Component, explainer: Component, measures: Measures = RANKED) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a trial's result.

    Raises
    ------
    InputError
        If a detector or explainer, or a parameter of one, is unknown.
    """
    return next(trial_keys(source, detector, [explainer], measures))


def trial_keys(
    source: Table,
    detector: Component,
    explainers: Iterable[Component],
    measures: Measures = RANKED,
    identities: Identities | None = None,
) -> Iterator[str]:
    """Yield the key of each explainer's trial on the same fitted detector; see `trial_key`.

    `identities` are those of the run, for more than one call.
    """
    known = identities or Identities()
    shared = _of_fit(source, detector, known) | {"metrics": measures.identity()}
    for explainer in explainers:
        yield _hash(shared | {"explainer": _identity(explainer, source, CONTROLS, make_explainer, known)})


def fit_key(source: Table, detector: Component) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a fitted detector."""
    return _hash(_of_fit(source, detector, Identities()))


def _of_fit(source: Table, detector: Component, known: Identities) -> dict[str, Any]:
    training = {} if source.training_hash is None else {"training": source.training_hash}
    return training | {
        "table": source.hash,
        "preprocessing": PREPROCESSING_VERSION,
        "detector": _identity(detector, source, CONTROL_DETECTORS, make_detector, known),
        "seed": source.seed,
    }


def components(
    source: Table,
    detector: Component,
    explainer: Component,
    measures: Measures = RANKED,
    identities: Identities | None = None,
) -> dict[str, Any]:
    """Return, as JSON values, versions and parameters of a trial's detector, explainer and metrics.

    What a trial's key is made of, except for the table.
    """
    known = identities or Identities()
    return {
        "detector": _made(detector, source, CONTROL_DETECTORS, make_detector, known),
        "explainer": _made(explainer, source, CONTROLS, make_explainer, known),
        "metrics": measures.identity(),
    }


def _made(
    component: Component,
    source: Table,
    controls: Container[str],
    make: Callable[..., Any],
    known: Identities,
) -> dict[str, Any]:
    if component.name in controls:  # its identity holds the table's whole network
        return {component.name: {"version": control_version(component.name), "params": {}}}
    return known.of(component, make, source.seed)


def _hash(determined_by: Mapping[str, Any]) -> str:
    return sha256(json.dumps(determined_by, sort_keys=True, default=str).encode()).hexdigest()


def _identity(
    component: Component,
    source: Table,
    controls: Container[str],
    make: Callable[..., Any],
    known: Identities,
) -> dict[str, Any]:
    if component.name not in controls:
        own = {"object": component.mark} if component.mark else {}
        return own | {"params": component.params, "made": known.of(component, make, source.seed)}
    if component.params:
        raise InputError(f"control {component.name!r} takes no parameters")
    return {
        "name": component.name,
        "network": source.network_json,
        "version": control_version(component.name),
    }
