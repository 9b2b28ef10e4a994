"""The record of a trial: what it was made of, how it ended, its scores and costs.

Everything that reads or writes results does it through `TrialRecord`. Records may be anybody's, or of another
version, so they are checked where they are read.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, FiniteFloat, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, core_schema

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import build_spec

RECORD_VERSION = 3  # of the format; raised when a record of before cannot be read any more
REUSED = frozenset({"ok", "skipped"})
COUNT = "n_"  # the prefix of numbers of rows: whole, but where scores are tied at the cut of a scope
Status = Literal["ok", "skipped", "error", "timeout", "out-of-memory"]

# A run has tens of thousands of records. What many of them have in common is held once.
_NAMES: dict[tuple[str, ...], dict[str, int]] = {}
_PARTS: dict[str, Any] = {}


class Numbers(Mapping[str, float | None]):
    """Numbers by name, None where one is not defined; eight bytes each, since records have hundreds."""

    __slots__ = ("_places", "_values")

    def __init__(self, values: Mapping[str, float | None]) -> None:
        names = tuple(sorted(values))  # as they are in a file
        self._places = _NAMES.setdefault(names, {name: i for i, name in enumerate(names)})
        self._values = array("d", (math.nan if (value := values[name]) is None else value for name in names))

    def __getitem__(self, name: str) -> float | None:
        value = self._values[self._places[name]]
        if not math.isfinite(value):
            return None
        return int(value) if name.startswith(COUNT) and value.is_integer() else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (dict(self),)

    def __repr__(self) -> str:
        return f"Numbers({dict(self)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            handler.generate_schema(dict[str, float | None]),
            serialization=core_schema.plain_serializer_function_ser_schema(dict),
        )

    def array(self) -> "array[float]":
        """Return the numbers in their order, NaN where one is not defined."""
        return self._values


def _defined(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _shared(part: Any) -> Any:
    """Return the first part that was equal to this one."""
    # What tells parts apart, and far faster than JSON: `repr` of their values.
    text = repr(part)
    return _PARTS.setdefault(text, part)


def _shared_values(parts: dict[str, Any] | None) -> dict[str, Any] | None:
    return parts and {name: _shared(part) for name, part in parts.items()}


def _packed(values: Sequence[float]) -> "array[float]":
    return array("f", values)  # four bytes each, since a run may have millions


def _unpacked(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]


Number = Annotated[float | None, AfterValidator(_defined)]
RowValues = Annotated[Sequence[FiniteFloat], AfterValidator(_packed), PlainSerializer(_unpacked)]


class Part(BaseModel, frozen=True, strict=True, extra="forbid"):
    """A part of a record."""


class TableFacts(Part):
    """The table of a trial: its label in the suite, what it was made of, and its size."""

    label: str
    origin: str | None = None  # the title that it would have without a label
    content_hash: str | None  # None where the table could not be made
    n_rows: int | None = None
    n_features: int | None = None
    n_anomalies: int | None = None


class ComponentFacts(Part):
    """An explainer as the suite names it."""

    name: str
    params: dict[str, Any] = {}
    label: str


class DetectorFacts(ComponentFacts):
    """A detector as the suite names it, how well it finds anomalies, and the time to fit it."""

    quality: Numbers = Numbers({})
    fit_seconds: Number = None
    iteration_auc_roc: list[float | None] = []  # of an iterative detector


class Costs(Part):
    """What fitting and explaining cost, see `metrics.Cost`, and the time of the reference computation."""

    fit: Numbers = Numbers({})
    explain: Numbers = Numbers({})
    matmul_seconds: Number = None


class TrialRecord(Part):
    """The record of a trial.

    Attributes
    ----------
    key
        The SHA-256 of all that determines the result; the name of the record's file.
    seed, table, detector, explainer
        What was run.
    status, reason, traceback
        How it ended; a reason where there are no scores.
    components
        Versions and parameters of detector, explainer and metrics.
    versions
        Those of libraries.
    scores
        By scope and name.
    row_scores
        By name, a value for each anomaly in the table's order, as of `Evaluation.row_scores`.
    scores_by_kind
        By scope, kind of anomaly and name.
    scores_at_k
        By scope and metric, the mean score for each of `set_sizes(d)`.
    seconds, normalised_time, cost
        To fit and explain: together, in matmul-normalised time, and apart.
    elapsed_seconds
        Of the whole trial, scoring included.
    n_explained
        How many rows were explained.
    artifacts
        The artifacts that the run has of the trial.
    origin
        Of shipped results, what `run.json` said of their run.

    Examples
    --------
    >>> from xadbench.evaluation.results.record import RECORD_VERSION, TrialRecord
    >>> table, component = {"label": "wine", "content_hash": None}, {"name": "a", "label": "a"}
    >>> parts = {"table": table, "detector": component, "explainer": component}
    >>> ended = {"status": "skipped", "reason": "needs a gradient"}
    >>> record = TrialRecord(version=RECORD_VERSION, key="k", seed=0, **parts, **ended)
    >>> record.table.label, record.is_finished
    ('wine', True)
    """

    version: Literal[3]
    key: str
    seed: int
    status: Status
    reason: str | None
    table: Annotated[TableFacts, AfterValidator(_shared)]
    detector: Annotated[DetectorFacts, AfterValidator(_shared)]
    explainer: Annotated[ComponentFacts, AfterValidator(_shared)]
    traceback: str | None = None
    components: Annotated[dict[str, Any] | None, AfterValidator(_shared_values)] = None
    versions: Annotated[dict[str, str], AfterValidator(_shared)] = {}
    scores: dict[str, Numbers] = {}
    row_scores: dict[str, RowValues] = {}
    scores_by_kind: dict[str, dict[str, Numbers]] = {}
    scores_at_k: dict[str, dict[str, list[float | None]]] = {}
    cost: Costs = Costs()
    seconds: Number = None
    elapsed_seconds: Number = None
    normalised_time: Number = None
    n_explained: int | None = None
    artifacts: list[str] = []
    origin: dict[str, Any] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the trial is not run again on resume; errors are."""
        return self.status in REUSED

    @property
    def untraced(self) -> str:
        """The user's files that import by names known only at run time, so that a change goes unnoticed."""
        known = self.components or {}
        parts = [part for what in ("detector", "explainer") for part in dict(known.get(what) or {}).values()]
        return ", ".join(part["untraced"] for part in parts if isinstance(part, dict) and "untraced" in part)

    @property
    def identity(self) -> tuple[str, int, str, str]:
        """The labels of the table, the seed, the detector and the explainer."""
        return self.table.label, self.seed, self.detector.label, self.explainer.label

    def labelled(self, table: str, origin: str, detector: str, explainer: str) -> Self:
        """Return the record under other labels: those of a suite that reuses it; `origin` is its table's."""
        parts = {
            "table": (self.table, {"label": table, "origin": origin}),
            "detector": (self.detector, {"label": detector}),
            "explainer": (self.explainer, {"label": explainer}),
        }
        changes = {
            name: _shared(part.model_copy(update=reported))
            for name, (part, reported) in parts.items()
            if any(getattr(part, field) != value for field, value in reported.items())
        }
        return self.model_copy(update=changes) if changes else self

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values of the record's file."""
        return self.model_dump(exclude_defaults=True)


def as_trial(record: object, where: str) -> TrialRecord:
    """Return the record of a trial; raise `InputError`, "WHERE: KEY: ...", for what is none.

    Examples
    --------
    >>> from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
    >>> as_trial({"version": RECORD_VERSION, "key": "a"}, "a.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    xadbench.datasets.common.errors.InputError: a.json: seed: required, but not given; status: ...
    >>> as_trial({"key": "a"}, "a.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    xadbench.datasets.common.errors.InputError: a.json: made by another version of XADBench (its ...
    """
    if isinstance(record, TrialRecord):
        return record
    if isinstance(record, dict):
        check_version(record, where)
    return build_spec(record, TrialRecord, where)


def check_version(values: Mapping[str, Any], where: str) -> None:
    """Raise `InputError` for what a run of another version wrote."""
    found = values.get("version", 1)
    if found != RECORD_VERSION:
        raise InputError(
            f"{where}: made by another version of XADBench (its format is {found!r:.20}, this one reads "
            f"{RECORD_VERSION}); run the suite again in a new folder"
        )
