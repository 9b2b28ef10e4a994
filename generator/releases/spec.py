"""Typed releases: which tables are published together, under which name and licence."""

import datetime as dt
import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    NonNegativeInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from xadbench.datasets.common.errors import InputError, find, unknown
from xadbench.datasets.common.names import natural_order
from xadbench.datasets.common.paths import LONGEST_NAME, Name, is_name, is_there
from xadbench.datasets.common.specs import read_spec
from xadbench.datasets.sources.adbench import find_adbench
from xadbench.datasets.sources.bundled import BUNDLED
from xadbench.generator.anomalies.registry import AnyAnomaly, check_kinds
from xadbench.generator.injection.inject import DEFAULT_KINDS, Base, Protocol
from xadbench.generator.recipe import Recipe, load_recipe

RELEASES = files("xadbench.generator") / "releases"

FILE_ENDINGS = (".cff", ".json", ".md", ".yaml")
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$", max_length=LONGEST_NAME)]
Licence = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]*$")]


def _known_dataset(name: str) -> str:
    """Refuse a data set that no source has; look at names alone, nothing is loaded."""
    source, colon, rest = name.partition(":")
    if colon and source == "adbench":
        find_adbench(rest)
    elif colon and source == "bundled":
        find("bundled data set", rest, BUNDLED)
    elif not is_there(name):
        raise InputError(f"unknown data set {name!r}; expected bundled:NAME, adbench:NAME or a path")
    return name


class Injection(BaseModel, frozen=True, extra="forbid"):
    """Anomalies to inject into a real data set; `generator.inject` says what the settings mean.

    Parameters
    ----------
    dataset, label
        "bundled:NAME", "adbench:NAME" or a path, and a CSV or Parquet file's column of labels, as in
        `datasets.sources.load_dataset`.
    kinds
        The kinds, each at most once; a bare name in YAML means the paper's strengths.
    ratio
        Share of the rows that become anomalous, between 0 and 1.
    base
        "rows": the real rows; "gmm": a mixture fitted to them, reproducible on one installation alone.
    protocol
        "per-row": each anomaly affects features of its own; "paper" and "published": all of a kind the
        same; see `inject`.
    """

    dataset: Annotated[str, AfterValidator(_known_dataset)]
    label: str | None = None
    kinds: Annotated[tuple[AnyAnomaly, ...], AfterValidator(check_kinds)] = Field(
        default=DEFAULT_KINDS, validate_default=True
    )
    ratio: float = Field(default=0.05, gt=0, lt=1)
    base: Base = "rows"
    protocol: Protocol = "per-row"

    @property
    def name(self) -> str:
        """What the injected tables are called."""
        return f"injected-{Path(self.dataset.rpartition(':')[2]).stem}"


def _loaded(recipe: object) -> object:
    return load_recipe(recipe) if isinstance(recipe, str) else recipe


class Entry(BaseModel, frozen=True, extra="forbid"):
    """A family of tables in a release: a recipe or an injection, and its seeds.

    Parameters
    ----------
    recipe
        A shipped recipe's name, a path that ends in .yaml, or the recipe itself.
    inject
        What to inject, and where.
    seeds
        One table each.
    folder
        The folder of the tables. Default: the recipe's name, or "injected-" and that of the data set.
    """

    recipe: Annotated[Recipe | None, BeforeValidator(_loaded)] = None
    inject: Injection | None = None
    seeds: tuple[NonNegativeInt, ...] = Field(min_length=1)
    folder: str = Field(default="", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, values: object) -> object:
        if isinstance(values, dict) and (values.get("recipe") is None) == (values.get("inject") is None):
            raise InputError("expected either recipe: or inject:, one of them")
        return values

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise InputError(f"seeds are {list(seeds)}; expected each once")
        return seeds

    @field_validator("folder")
    @classmethod
    def _named(cls, folder: str, info: ValidationInfo) -> str:
        source = info.data.get("recipe") or info.data.get("inject")
        name: str = folder or (source.name if source else "")
        if source and not is_name(name):
            raise InputError(
                f"folder is {name!r:.120}; expected letters, digits, '_', '.' and '-' alone, "
                f"at most {LONGEST_NAME}"
            )
        if name.lower().endswith(FILE_ENDINGS):
            raise InputError(f"folder is {name!r}; expected no ending of the release's files")
        return name

    @property
    def source(self) -> Recipe | Injection:
        """What the tables are made from."""
        source = self.recipe or self.inject
        assert source is not None  # noqa: S101  # checked at birth
        return source

    @property
    def tables(self) -> tuple[str, ...]:
        """The folders of the tables in the release, one for each seed."""
        return tuple(f"{self.folder}/seed-{seed}" for seed in self.seeds)


class Release(BaseModel, frozen=True, extra="forbid"):
    """Tables that are published together.

    Parameters
    ----------
    name, version
        What the release is called; the version has three numbers, such as 1.0.0.
    date
        The day of its publication.
    licence
        An identifier of the SPDX list (spdx.org/licenses), such as CC-BY-4.0.
    description
        What it is for, in a sentence or two.
    authors
        Who is to be cited.
    url
        Where it is published, if anywhere.
    tables
        The tables: each entry a recipe or an injection with its seeds.
    """

    name: Name
    version: Version
    date: dt.date
    licence: Licence
    description: str = Field(min_length=1)
    authors: tuple[str, ...] = Field(default=("The XADBench developers",), min_length=1)
    url: str | None = None
    tables: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_folder_each(self) -> Self:
        folders = [entry.folder for entry in self.tables]
        for folder in folders:
            if folders.count(folder) > 1:
                raise InputError(f"two entries of tables go to the folder {folder!r}; give one a folder:")
        return self

    @property
    def n_tables(self) -> int:
        """Number of tables."""
        return sum(len(entry.seeds) for entry in self.tables)


def release_names() -> tuple[str, ...]:
    """Return the names of the shipped releases, sorted."""
    names = (entry.name for entry in RELEASES.iterdir())
    return tuple(natural_order(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load_release(name_or_path: str | os.PathLike[str]) -> Release:
    """Return a release with all its recipes resolved.

    Parameters
    ----------
    name_or_path
        The name of a shipped release, or the path of a file that ends in .yaml. Paths in the file are
        relative to the working directory.

    Raises
    ------
    InputError
        If there is no such release, or the file is not one, or an entry names an unknown recipe or data set;
        one line that names file and entry.

    Examples
    --------
    >>> load_release("mini").n_tables
    6
    """
    name = os.fspath(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Release)
    if name not in release_names():
        raise InputError(f"{unknown('release', name, release_names())}; or give a path that ends in .yaml")
    return read_spec(RELEASES / f"{name}.yaml", Release)
