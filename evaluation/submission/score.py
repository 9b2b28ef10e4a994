"""Scores an explainer, a detector or a data set of the user's: a run of a suite with these entries more."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import build_spec
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.explainers import ExplainerObject
from xadbench.evaluation.results.frame import REFERENCES
from xadbench.evaluation.runs.jobs import load_checked
from xadbench.evaluation.runs.reference import run_with_shipped
from xadbench.evaluation.suite.expand import combinations
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec

from .placement import Placement, place_of

INJECTED = {"ratio": 0.1}  # into a data set that has no ground truth, as suite quick does


class Extended(NamedTuple):
    """A suite with entries more, and their labels in it; a label is empty where there is no such entry."""

    suite: Suite
    explainer: str = ""
    detector: str = ""
    table: str = ""

    @property
    def scored(self) -> Suite:
        """The suite under a name of its own, since a run of it is none of the suite that it extends."""
        named = dict(self.suite) | {"name": f"score-{self.suite.name}"}
        return build_spec(named, Suite, where=f"suite {self.suite.name}")


def score_on_suite(
    explainer: str | ExplainerObject | None = None,
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
    entry = _component(explainer, params or {}, label)
    return score_entries(
        extended(suite, entry, detector, dataset, labels), out, recompute=recompute, **options
    )


def score_entries(
    requested: Extended, out: Path | None = None, *, recompute: bool = False, **options: Any
) -> Placement:
    """Run a suite that `extended` returned, and return the place of its entries; as `score_on_suite`."""
    suite = requested.scored
    with _folder(out) as run:
        records = run_with_shipped(suite, run, recompute=recompute, **options)
    return place_of(requested.explainer, suite, records, detector=requested.detector, table=requested.table)


def extended(
    suite: str | Path | Suite,
    explainer: Component | None = None,
    detector: str | None = None,
    dataset: str | None = None,
    labels: str | None = None,
) -> Extended:
    """Return the suite with an explainer, a detector and a data set more.

    Raises
    ------
    InputError
        If a name is not usable; if labels are named of no data set; if the explainer is a control, which
        stands beside every placement and is never ranked; if the suite's include and exclude leave no trial
        of it.
    """
    if explainer is not None and explainer.name in REFERENCES:
        raise InputError(
            f"{explainer.name!r} is a control, which every placement shows unranked; name another explainer"
        )
    if labels is not None and not dataset:
        raise InputError(f"column {labels!r} is to mark the anomalies of a data set, but none is named")
    chosen = suite if isinstance(suite, Suite) else load_checked(str(suite))
    own_detector = Component(name=detector) if detector else None
    own_tables = (_table(dataset, labels),) if dataset else ()
    parts = {
        "explainers": _with(chosen.explainers, explainer),
        "detectors": _with(chosen.detectors, own_detector),
        "tables": tuple(dict.fromkeys((*chosen.tables, *own_tables))),
    }
    requested = build_spec(dict(chosen) | parts, Suite, where=f"suite {chosen.name}")
    label = _label(requested.explainers, explainer)
    if label and not any(one.label == label for *_, left in combinations(requested) for one in left):
        raise InputError(f"suite {chosen.name}: include and exclude leave no trial of {label!r}")
    table = next((spec.title for spec in own_tables), "")
    return Extended(requested, label, _label(requested.detectors, own_detector), table)


def _with(there: tuple[Component, ...], more: Component | None) -> tuple[Component, ...]:
    """Return the components with one more; a baseline that is scored is one of them, if by another label."""
    if more is None:
        return there
    if not any(one.identity == more.identity for one in there):
        return (*there, more)
    if more.label == Component(name=more.name, params=more.params).label:
        return there
    return tuple(more if one.identity == more.identity else one for one in there)


def _label(components: tuple[Component, ...], component: Component | None) -> str:
    """Return what the suite calls a component: it tells apart what would have one name."""
    if component is None:
        return ""
    return next(one.label for one in components if one.identity == component.identity)


def _table(dataset: str, labels: str | None) -> TableSpec:
    has_mask = load_dataset(dataset, labels, run_code=True).mask is not None
    return TableSpec.model_validate(
        {"dataset": dataset, "label": labels, "inject": None if has_mask else INJECTED}
    )


def _component(
    explainer: str | ExplainerObject | None, params: Mapping[str, Any], label: str
) -> Component | None:
    if explainer is None:
        return None
    if isinstance(explainer, str):
        return Component(name=explainer, params=dict(params), label=label)
    return Component.of_object(explainer, params, label)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="xadbench-") as folder:
        yield Path(folder)
