"""Suites: typed YAML files that name the tables, detectors, explainers and seeds of a grid of trials."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    Field,
    PositiveInt,
    PrivateAttr,
    model_validator,
)

from xadbench.datasets.common.errors import unknown
from xadbench.datasets.common.limits import COMPONENTS
from xadbench.datasets.common.names import natural_order
from xadbench.datasets.common.paths import Name
from xadbench.datasets.common.specs import build_spec, read_spec
from xadbench.datasets.common.user_code import is_spec, object_name, short_name
from xadbench.evaluation.components.registry import SEED

Artifact = Literal["rows", "attributions"]
MOST_SECONDS, MOST_BYTES = 365 * 24 * 3600, 2**50  # of a trial: a system takes no more as its limit
SEMI_SUPERVISED = ", semi-supervised"  # ends the title of such a table
PARTS: tuple[Literal["tables", "detectors", "explainers"], ...] = ("tables", "detectors", "explainers")


class Injection(BaseModel, frozen=True, extra="forbid"):
    """Anomalies put into the normal rows of a real data set; see `xadbench.generator.injection.inject`."""

    kinds: tuple[str, ...] | None = None
    ratio: float = Field(default=0.05, gt=0, lt=1)
    base: Literal["rows", "gmm"] = "rows"
    protocol: Literal["per-row", "paper", "published"] = "per-row"


class TableSpec(BaseModel, frozen=True, extra="forbid"):
    """A table: a recipe, if need be with another number of rows; a data set, if need be injected; a release.

    Of a release, a built folder, `table` names one family of tables, such as `contextual-d10`; without it all
    are meant. As with a recipe, the trial's seed chooses the table of that family.

    `semi_supervised`: detectors are trained on a random half of the normal rows; the table is the other half
    and all anomalies.
    """

    name: str = ""
    recipe: str | None = None
    rows: PositiveInt | None = None
    dataset: str | None = None
    label: str | None = None
    inject: Injection | None = None
    release: str | None = None
    table: str | None = None
    semi_supervised: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.recipe, self.dataset, self.release].count(None) != 2:
            raise ValueError("a table names either a recipe or a dataset or a release")
        if self.release is None and self.table is not None:
            raise ValueError("table, one of a release, goes with a release")
        if self.release is not None and self.table is None and self.name:
            raise ValueError("name goes with one table of a release; say which: table")
        if self.dataset is None and self.inject is not None:
            raise ValueError("inject goes with a dataset, not with a recipe")
        if self.dataset is None and self.label is not None:
            raise ValueError(
                "label, the column of a file that marks its anomalies, goes with a dataset; "
                "a table is called by name"
            )
        if self.recipe is None and self.rows is not None:
            raise ValueError("rows goes with a recipe, not with a dataset")
        return self

    @property
    def title(self) -> str:
        """What the leaderboard calls the table."""
        return self.name or f"{self.origin}{SEMI_SUPERVISED if self.semi_supervised else ''}"

    @property
    def origin(self) -> str:
        """What its rows are made from or come from, whatever the table is called."""
        injected = " + anomalies" if self.inject else ""
        return self.recipe or self.table or self.release or f"{self.dataset}{injected}"


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Component(BaseModel, frozen=True, extra="forbid"):
    """A detector or explainer by its name, with parameters where the defaults will not do.

    The name is a registered one, that of a plug-in, or `package.module:Name` or `path/to/file.py:name`.
    `of_object` returns one that is made from a Python object: an explainer, or a class or function.

    `grid` gives a list of values for each of some parameters; in a suite it stands for one component a
    combination of values. (A list in `params` is one value.)
    """

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict, exclude=True)
    label: str = ""
    _object: Any = PrivateAttr(default=None)  # goes to workers with it, and into no file
    _mark: str = PrivateAttr(default="")

    @classmethod
    def of_object(cls, given: Any, params: Mapping[str, Any] | None = None, label: str = "") -> Self:
        """Return the component of a class, a function or an explainer, under a mark of its own."""
        component = cls(name=object_name(given), params=dict(params or {}), label=label)
        component._object, component._mark = given, uuid4().hex
        return component

    @property
    def made_from(self) -> Any:
        """The object, or else the name."""
        return self._object if self._mark else self.name

    @property
    def mark(self) -> str:
        """What distinguishes an object from any other, as nothing shows whether two are equal; else empty."""
        return self._mark

    @property
    def is_loaded(self) -> bool:
        """Whether the user's code is loaded by the name each time, and so may change during a run."""
        return not self.mark and is_spec(self.name)

    @property
    def identity(self) -> tuple[Hashable, ...]:
        """Equal of components that are the same, whatever their labels."""
        return self.name, self.mark, _hashable(self.params)

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if SEED in {*self.params, *self.grid}:
            raise ValueError(f"{SEED} is that of the trial, from the suite's seeds; leave it out")
        if twice := sorted(self.params.keys() & self.grid.keys()):
            raise ValueError(f"{twice[0]} is both in params and in grid")
        if not self.label and not self.grid:
            object.__setattr__(self, "label", _with_settings(short_name(self.name), self.params))
        return self

    def expanded(self) -> Iterator["Component"]:
        """Yield a component for each combination of the grid's values; without a grid, itself."""
        if not self.grid:
            yield self
            return
        for values in itertools.product(*self.grid.values()):
            chosen = dict(zip(self.grid, values, strict=True))
            label = _with_settings(self.label, chosen) if self.label else ""
            yield Component(name=self.name, params=self.params | chosen, label=label)


def _hashable(value: Any) -> Hashable:
    """Return what equals, and hashes, as the value of a parameter does."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(part)) for key, part in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return value if isinstance(value, Hashable) else repr(value)


def _with_settings(name: str, params: dict[str, Any]) -> str:
    settings = ", ".join(f"{key}={value}" for key, value in sorted(params.items()))
    return f"{name}({settings})" if settings else name


def _expanded(components: tuple[Component, ...]) -> tuple[Component, ...]:
    n = sum(math.prod(map(len, component.grid.values())) for component in components)
    if n > COMPONENTS:
        raise ValueError(f"{n} components with those that grids stand for, more than {COMPONENTS}, the limit")
    return _distinct([each for component in components for each in component.expanded()])


def _distinct(components: Sequence[Component]) -> tuple[Component, ...]:
    """Return the components, labelled by module or file too where an object's own name is not enough."""
    count = Counter(component.label for component in components)
    return tuple(
        one.model_copy(update={"label": _with_settings(one.name, one.params)})
        if count[one.label] > 1 and one.label == _with_settings(short_name(one.name), one.params)
        else one
        for one in components
    )


NamedComponent = Annotated[Component, BeforeValidator(_named)]
Components = Annotated[tuple[NamedComponent, ...], Field(min_length=1), AfterValidator(_expanded)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Combination(BaseModel, frozen=True, extra="forbid"):
    """Trials by the labels of their parts: each part is one label or pattern (`contextual-*`), or several.

    A part that is left out may be any.
    """

    table: Patterns = ("*",)
    detector: Patterns = ("*",)
    explainer: Patterns = ("*",)

    @model_validator(mode="before")
    @classmethod
    def _not_all(cls, values: object) -> object:
        if values == {}:
            raise ValueError("a combination names a table, a detector or an explainer")
        return values

    def holds(self, table: str, detector: str, explainer: str) -> bool:
        """Whether a trial is one of these."""
        parts = ((table, self.table), (detector, self.detector), (explainer, self.explainer))
        return all(any(_matches(label, pattern) for pattern in patterns) for label, patterns in parts)


def _matches(label: str, pattern: str) -> bool:
    return label == pattern or fnmatchcase(label, pattern)  # a label may hold brackets


class Suite(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A grid of trials: every explainer on every detector on every table, once a seed.

    The metrics that use the ground truth are computed in any case; `metrics` names others, which score rows
    or explain them again, and those to show on the leaderboard. `fill_value` stands for absent features.
    `scope` names the rows to rank by. `include`, where given, keeps only trials that one of its combinations
    holds, and `exclude` drops those that one of its own does; the controls stay wherever a trial is left,
    unless `controls: false` switches them off.
    `save` names what stays of a trial beside its record: the metrics' values row by row, the attributions.
    `timeout` (seconds) and `memory_limit` (bytes, or "2 GiB": beyond what the process holds) end a trial, or
    the fitting of a detector, that takes more.
    """

    name: Name
    description: str = ""
    tables: tuple[TableSpec, ...] = Field(min_length=1)
    detectors: Components
    explainers: Components
    include: Annotated[tuple[Combination, ...], Field(min_length=1)] | None = None
    exclude: tuple[Combination, ...] = ()
    controls: bool = True
    metrics: tuple[str, ...] = ()
    fill_value: str = "mean"
    scope: Literal["anomalies", "detected", "flagged"] = "detected"
    save: Annotated[tuple[Artifact, ...], BeforeValidator(_listed)] = ()
    timeout: Annotated[float, Field(gt=0, le=MOST_SECONDS)] | None = None
    memory_limit: Annotated[ByteSize, Field(gt=0, le=MOST_BYTES)] | None = None
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(default=(0,), min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what in PARTS:
            labels = Counter(self.labels(what))
            if twice := [label for label, count in labels.items() if count > 1]:
                raise ValueError(f"{what} has {twice[0]!r} twice; give one of them another name or label")
        for part in (self.detectors, self.explainers):
            known: dict[Hashable, Component] = {}
            for one in part:
                first = known.setdefault(one.identity, one)
                if first is not one:
                    raise ValueError(f"{first.label!r} and {one.label!r} are the same; leave one of them out")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds has a seed twice")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics has a metric twice")
        return self

    def labels(self, what: Literal["tables", "detectors", "explainers"]) -> list[str]:
        """Return the labels of the tables, detectors or explainers."""
        parts: Sequence[TableSpec | Component] = getattr(self, what)
        return [part.title if isinstance(part, TableSpec) else part.label for part in parts]

    def wants(self, table: str, detector: str, explainer: str) -> bool:
        """Whether include and exclude leave the trial of these labels."""
        trial = table, detector, explainer
        is_in = self.include is None or any(combination.holds(*trial) for combination in self.include)
        return is_in and not any(combination.holds(*trial) for combination in self.exclude)


def saving(suite: Suite, what: Sequence[str]) -> Suite:
    """Return the suite with what is to be kept of its trials.

    Raises
    ------
    InputError
        If `what` holds anything but `rows` and `attributions`.
    """
    return build_spec(dict(suite) | {"save": tuple(what)}, Suite, where=f"suite {suite.name}")


def suite_names() -> list[str]:
    """Return the names of the shipped suites."""
    shipped = files("xadbench.evaluation.suite.suites").iterdir()
    return natural_order(path.name.removesuffix(".yaml") for path in shipped if path.name.endswith(".yaml"))


def load_suite(name: str, further: Callable[[Suite], object] | None = None) -> Suite:
    """Return a suite by its shipped name, or from the path of a `.yaml` file; `further` as of `read_spec`.

    Raises
    ------
    InputError
        If there is no such suite, or the file is not a valid one.
    """
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Suite, further)
    if name not in suite_names():
        raise unknown("suite", name, suite_names())
    return read_spec(files("xadbench.evaluation.suite.suites") / f"{name}.yaml", Suite)
