"""Scores an explainer, a detector or a data set of the user's beside the baselines of a suite."""

import copy
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from xadbench.datasets.common.errors import InputError, one_line
from xadbench.datasets.common.specs import build_spec
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.components.protocols import Explainer
from xadbench.evaluation.components.registry import Entry, Factory
from xadbench.evaluation.explainers import EXPLAINERS, ExplainFunction, as_explainer
from xadbench.evaluation.explainers.base import explainer_factory
from xadbench.evaluation.results.frame import REFERENCES
from xadbench.evaluation.runs.reference import run_with_shipped
from xadbench.evaluation.suite.expand import combinations
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec, load_suite

from .placement import Placement, place_of

INJECTED = {"ratio": 0.1}  # into a data set that has no ground truth, as suite quick does
AnyExplainer = str | type[Explainer] | Explainer | ExplainFunction


def score_on_suite(
    explainer: AnyExplainer | None = None,
    suite: str | Path | Suite = "quick",
    params: Mapping[str, Any] | None = None,
    *,
    label: str = "",
    detector: str | None = None,
    dataset: str | None = None,
    labels: str | None = None,
    recompute: bool = False,
    out: Path | None = None,
    **options: Any,
) -> Placement:
    """Run an explainer on a suite beside its baselines, and return its place among them.

    Trials of the baselines whose results ship with the package are not computed.

    Parameters
    ----------
    explainer
        A name as `make_explainer` takes it; or an object: a class, a function of (detector, background, X),
        or an explainer, of which each trial gets a copy. Trials of an object are computed each time, since
        nothing tells whether it is the same. None: the detector or the data set alone is new.
    suite
        A suite, a shipped suite's name, or the path of a `.yaml` file.
    params
        The explainer's parameters.
    label
        What to call the explainer; default: its name with its parameters.
    detector, dataset
        Names of a detector and a data set to add to the suite's, as `make_detector` and `load_dataset` take
        them. A data set that has no ground truth gets anomalies injected into its normal rows.
    labels
        The column of the data set's file that marks its anomalies; without it, all of its rows are normal.
    recompute
        Compute the baselines too.
    out
        The run's folder, where the same call goes on; default: none is kept.
    **options
        Those of `run_suite`, such as `workers`.

    Raises
    ------
    InputError
        If a name, parameter or object is not usable, or there is nothing new to score.

    Examples
    --------
    >>> from xadbench.evaluation.submission.score import score_on_suite
    >>> def size(detector, background, X):
    ...     return abs(X)
    >>> placement = score_on_suite(size)  # doctest: +SKIP
    >>> [place.own["mean"] for place in placement.places]  # doctest: +SKIP
    """
    if explainer is None and not detector and not dataset:
        raise InputError("nothing to score; expected an explainer, a detector or a data set")
    with _named(explainer) as name:
        entry = _component(explainer, name, dict(params or {}), label)
        requested = beside(suite, entry, detector, dataset, labels)
        return run_beside(requested, entry, detector, dataset, out, recompute=recompute, **options)


def run_beside(
    requested: Suite,
    explainer: Component | None,
    detector: str | None,
    dataset: str | None,
    out: Path | None = None,
    *,
    recompute: bool = False,
    **options: Any,
) -> Placement:
    """Run a suite that `beside` returned for these parts, and return their place; as `score_on_suite`."""
    with _folder(out) as run:
        records = run_with_shipped(requested, run, recompute=recompute, **options)
    return place_of(
        _label(requested.explainers, explainer),
        requested,
        records,
        detector=_label(requested.detectors, Component(name=detector) if detector else None),
        table=next(
            (spec.title for spec in reversed(requested.tables) if spec.dataset == dataset is not None), ""
        ),
    )


def beside(
    suite: str | Path | Suite,
    explainer: Component | None = None,
    detector: str | None = None,
    dataset: str | None = None,
    labels: str | None = None,
) -> Suite:
    """Return the suite with an explainer, a detector and a data set more, under a name of its own.

    Raises
    ------
    InputError
        If a name is not usable; if labels are named of no data set; if the explainer is a control, which
        stands beside every placement and is never ranked; if the suite's include and exclude leave no trial
        of it.
    """
    if explainer is not None and explainer.name in REFERENCES:
        raise InputError(f"{explainer.name!r} is a control, which stands beside every placement unranked")
    if labels is not None and not dataset:
        raise InputError(f"column {labels!r} is to mark the anomalies of a data set, but none is named")
    chosen = suite if isinstance(suite, Suite) else load_suite(str(suite))
    parts = {
        "explainers": _with(chosen.explainers, explainer),
        "detectors": _with(chosen.detectors, Component(name=detector) if detector else None),
        "tables": _with_table(chosen.tables, _table(dataset, labels) if dataset else None),
    }
    named = dict(chosen) | parts | {"name": f"score-{chosen.name}"}
    requested = build_spec(named, Suite, where=f"suite {chosen.name}")
    label = _label(requested.explainers, explainer)
    if label and not any(one.label == label for *_, left in combinations(requested) for one in left):
        raise InputError(f"suite {chosen.name}: include and exclude leave no trial of {label!r}")
    return requested


def _with(there: tuple[Component, ...], more: Component | None) -> tuple[Component, ...]:
    """Return the components with one more; a baseline that is scored is one of them, if by another label."""
    if more is None:
        return there
    if not any(_is_same(one, more) for one in there):
        return (*there, more)
    if more.label == Component(name=more.name, params=more.params).label:
        return there
    return tuple(more if _is_same(one, more) else one for one in there)


def _is_same(one: Component, other: Component) -> bool:
    return (one.name, one.params) == (other.name, other.params)


def _with_table(there: tuple[TableSpec, ...], more: TableSpec | None) -> tuple[TableSpec, ...]:
    return there if more is None or more in there else (*there, more)


def _table(dataset: str, labels: str | None) -> TableSpec:
    has_mask = load_dataset(dataset, labels, run_code=True).mask is not None
    return TableSpec.model_validate(
        {"dataset": dataset, "label": labels, "inject": None if has_mask else INJECTED}
    )


def _component(
    explainer: AnyExplainer | None, name: str | None, params: dict[str, Any], label: str
) -> Component | None:
    if name is None:
        return None
    if not label and not isinstance(explainer, str):  # an object's name stands for nothing
        own = getattr(explainer, "__name__", type(explainer).__name__)
        label = Component(name=own, params=params).label
    return Component(name=name, params=params, label=label)


def _label(components: tuple[Component, ...], component: Component | None) -> str:
    """Return what the suite calls a component: it tells apart what would have one name."""
    if component is None:
        return ""
    return next(one.label for one in components if _is_same(one, component))


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="xadbench-") as folder:
        yield Path(folder)


@contextmanager
def _named(explainer: AnyExplainer | None) -> Iterator[str | None]:
    """Yield the name under which trials make the explainer: that of an object holds within the scope."""
    if explainer is None or isinstance(explainer, str):
        yield explainer
        return
    name = f"object-{uuid.uuid4().hex}"
    EXPLAINERS[name] = Entry("given as an object", partial(_factory, explainer))
    try:
        yield name
    finally:
        del EXPLAINERS[name]


def _factory(explainer: Any) -> Factory[Explainer]:
    if isinstance(explainer, type) or not hasattr(explainer, "explain"):
        return explainer_factory(explainer)
    as_explainer(explainer)  # refuses what is none
    return Factory(lambda random_state: _copy(explainer), frozenset())  # noqa: ARG005  # it has its own


def _copy(explainer: Any) -> Any:
    try:
        return copy.deepcopy(explainer)
    except Exception as error:
        cls = type(explainer).__name__
        raise InputError(
            f"an object of {cls} cannot be copied for each trial ({one_line(error)}); give the class"
        ) from error
