"""The anomaly kinds, one registry."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, Field

from xadbench.datasets.common.errors import InputError, find

from .base import AnomalyKind, Calibrated, CellKind, Donors, Population, Source
from .contextual import Dependency, Mechanism, Swap
from .paper import Additive, Cluster, Global, Local, Multiplicative

__all__ = [
    "KINDS",
    "Additive",
    "AnomalyKind",
    "AnyAnomaly",
    "Calibrated",
    "CellKind",
    "Cluster",
    "Dependency",
    "Donors",
    "Global",
    "Local",
    "Mechanism",
    "Multiplicative",
    "Population",
    "Source",
    "Swap",
    "anomaly",
    "check_kinds",
]

KINDS: dict[str, type[AnomalyKind]] = {
    "additive": Additive,
    "cluster": Cluster,
    "dependency": Dependency,
    "global": Global,
    "local": Local,
    "mechanism": Mechanism,
    "multiplicative": Multiplicative,
    "swap": Swap,
}


def anomaly(kind: str) -> type[AnomalyKind]:
    """Return the anomaly kind of that name; raise InputError for a name that is none."""
    return find("anomaly kind", kind, KINDS)


def check_kinds(kinds: Iterable[str | AnomalyKind]) -> tuple[AnomalyKind, ...]:
    """Return the kinds, with default strengths for bare names.

    Raises
    ------
    InputError
        If there is none, one is unknown, or one comes twice.
    """
    models = tuple(anomaly(kind).model_validate({}) if isinstance(kind, str) else kind for kind in kinds)
    names = [model.kind for model in models]
    if not models:
        raise InputError(f"no anomaly kind given; expected one or more of {', '.join(sorted(KINDS))}")
    if len(set(names)) < len(names):
        raise InputError(f"anomaly kinds {', '.join(names)}; expected each at most once")
    return models


def _spelled_out(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


AnyAnomaly = Annotated[
    Annotated[
        Cluster | Global | Local | Additive | Multiplicative | Dependency | Swap | Mechanism,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_spelled_out),  # a bare name means the paper's strengths
]
