"""What the record of a trial must hold to be read: records may be anybody's, or of another version."""

from typing import Any, Literal

from pydantic import BaseModel

from xadbench.datasets.common.specs import build_spec

Numbers = dict[str, float | None]


class _Part(BaseModel, extra="allow", strict=True):
    label: str


class _Table(_Part):
    origin: str | None = None  # older records do not say
    content_hash: str | None  # None where the table could not be made
    n_rows: int | None = None
    n_features: int | None = None
    n_anomalies: int | None = None


class _Component(_Part):
    name: str
    params: dict[str, Any] = {}


class _Detector(_Component):
    quality: Numbers = {}
    fit_seconds: float | None = None
    iteration_auc_roc: list[float | None] = []  # of an iterative detector


class _Cost(BaseModel, extra="allow", strict=True):
    fit: Numbers = {}
    explain: Numbers = {}


class _Trial(BaseModel, extra="allow", strict=True):
    key: str
    seed: int
    status: Literal["ok", "skipped", "error", "timeout", "out-of-memory"]
    reason: str | None
    table: _Table
    detector: _Detector
    explainer: _Component
    traceback: str | None = None
    components: dict[str, Any] | None = None
    scores: dict[str, Numbers] = {}
    scores_by_kind: dict[str, dict[str, Numbers]] = {}
    scores_at_k: dict[str, dict[str, list[float | None]]] = {}
    cost: _Cost = _Cost()
    seconds: float | None = None
    elapsed_seconds: float | None = None
    kernel_units: float | None = None
    n_explained: int | None = None
    kept: list[str] = []


def check_trial(record: object, where: str) -> None:
    """Raise `InputError`, "WHERE: KEY: ...", for what is not the record of a trial.

    Examples
    --------
    >>> from xadbench.evaluation.results.record import check_trial
    >>> check_trial({"key": "a"}, "a.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    xadbench.datasets.common.errors.InputError: a.json: seed: Field required; also wrong: status, reason, ...
    """
    build_spec(record, _Trial, where)
