"""Suites: typed YAML files that name the tables, detectors, explainers and seeds of a grid of trials."""

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, PositiveInt, model_validator

from xadbench.datasets.errors import unknown
from xadbench.datasets.specs import read_spec


class Injection(BaseModel, frozen=True, extra="forbid"):
    """Anomalies put into the normal rows of a real data set; see `xadbench.generator.inject`."""

    kinds: tuple[str, ...] | None = None
    ratio: float = Field(default=0.05, gt=0, lt=1)
    base: Literal["rows", "gmm"] = "rows"


class TableSpec(BaseModel, frozen=True, extra="forbid"):
    """A table: a recipe, if need be with another number of rows, or a data set, if need be injected."""

    name: str = ""
    recipe: str | None = None
    rows: PositiveInt | None = None
    dataset: str | None = None
    label: str | None = None
    inject: Injection | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.recipe is None) == (self.dataset is None):
            raise ValueError("a table names either a recipe or a dataset")
        if self.dataset is None and self.inject is not None:
            raise ValueError("inject goes with a dataset, not with a recipe")
        if self.dataset is None and self.label is not None:
            raise ValueError("label, the column of a file that marks its anomalies, goes with a dataset")
        if self.recipe is None and self.rows is not None:
            raise ValueError("rows goes with a recipe, not with a dataset")
        return self

    @property
    def title(self) -> str:
        """What the leaderboard calls the table."""
        injected = " + anomalies" if self.inject else ""
        return self.name or self.recipe or f"{self.dataset}{injected}"


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Component(BaseModel, frozen=True, extra="forbid"):
    """A detector or explainer by its registered name, with parameters where the defaults will not do."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    label: str = ""

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if not self.label:
            settings = ", ".join(f"{key}={value}" for key, value in sorted(self.params.items()))
            object.__setattr__(self, "label", f"{self.name}({settings})" if settings else self.name)
        return self


NamedComponent = Annotated[Component, BeforeValidator(_named)]


class Suite(BaseModel, frozen=True, extra="forbid"):
    """A grid of trials: every explainer on every detector on every table, once a seed.

    The metrics that judge by the culprits are computed in any case; `metrics` names others, which score rows
    or explain them again, and those to show on the leaderboard. `baseline` stands for absent features.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    description: str = ""
    tables: tuple[TableSpec, ...] = Field(min_length=1)
    detectors: tuple[NamedComponent, ...] = Field(min_length=1)
    explainers: tuple[NamedComponent, ...] = Field(min_length=1)
    metrics: tuple[str, ...] = ()
    baseline: str = "mean"
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(default=(0,), min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what in ("tables", "detectors", "explainers"):
            parts = getattr(self, what)
            labels = Counter(part.title if what == "tables" else part.label for part in parts)
            if twice := [label for label, count in labels.items() if count > 1]:
                raise ValueError(f"{what} has {twice[0]!r} twice; give one of them another name or label")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds has a seed twice")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics has a metric twice")
        return self


def suite_names() -> list[str]:
    """Return the names of the shipped suites."""
    shipped = files("xadbench.evaluation.suites").iterdir()
    return sorted(path.name.removesuffix(".yaml") for path in shipped if path.name.endswith(".yaml"))


def load_suite(name: str) -> Suite:
    """Return a suite by its shipped name, or from the path of a `.yaml` file.

    Raises
    ------
    InputError
        If there is no such suite, or the file is not a valid one.
    """
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Suite)
    if name not in suite_names():
        raise unknown("suite", name, suite_names())
    return read_spec(files("xadbench.evaluation.suites") / f"{name}.yaml", Suite)
