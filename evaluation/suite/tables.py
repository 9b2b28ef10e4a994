"""The tables that a suite names."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xadbench.datasets import InputError, LabelledTable, content_hash, read_table, resize
from xadbench.datasets.common.paths import is_there
from xadbench.datasets.common.specs import read_spec
from xadbench.datasets.files import file_hashes, read_header
from xadbench.datasets.preprocessing import MOST_ROWS, semi_supervised_split
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.loading import check_dataset, is_named, load_dataset, size_of
from xadbench.generator import generate, inject, load_recipe
from xadbench.generator.anomalies.registry import check_kinds
from xadbench.generator.injection.inject import check_models
from xadbench.generator.recipe import Recipe, with_rows
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.simulation import network_of

from .spec import TableSpec

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork


LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "pyarrow")
RECIPE = "recipe.yaml"  # in a release, beside the tables that it made
LoadDataset = Callable[..., LabelledTable]


@dataclass(frozen=True)
class KnownTable:
    """What a trial's key and record say of a table; None for an unknown network, or without training rows."""

    label: str
    seed: int
    origin: str
    hash: str
    n_rows: int
    n_features: int
    n_anomalies: int
    network_json: str | None
    training_hash: str | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """A table as a suite names it, before standardising, with its content hash.

    `origin` is what its rows come from, as `TableSpec` has it; `network` what made it, where that is known;
    `training` the rows to train detectors on, where they are not those of the table.
    """

    label: str
    seed: int
    table: LabelledTable
    hash: str
    origin: str
    network: "AdditiveNoiseNetwork | None" = None
    training: LabelledTable | None = None

    @cached_property
    def training_hash(self) -> str | None:
        """The content hash of `training`; None without."""
        return None if self.training is None else content_hash(self.training)

    @cached_property
    def network_json(self) -> str | None:
        """The network as canonical JSON."""
        from xadbench.generator.networks.serialization import to_json  # noqa: PLC0415  # pgmpy takes seconds to import

        return None if self.network is None else to_json(self.network)

    @property
    def known(self) -> KnownTable:
        """What is to be known of it when it is not in memory."""
        table = self.table
        size = table.n_rows, table.n_features, int(table.y.sum())
        known = self.network_json, self.training_hash
        return KnownTable(self.label, self.seed, self.origin, self.hash, *size, *known)


def load_source(
    spec: TableSpec, seed: int, *, run_code: bool = True, load: LoadDataset = load_dataset
) -> Source:
    """Make or load the table that `spec` names; `run_code` is that of `load`, which loads data sets.

    Raises
    ------
    InputError
        If a name is unknown, or a file is missing or altered.
    """
    if spec.recipe is not None:
        table = generate(_recipe(spec), seed)
    elif spec.release is not None:
        table = _from_release(Path(spec.release), str(spec.table), seed)
    else:
        table = _from_dataset(spec, seed, load, run_code=run_code)
    training = None
    if spec.semi_supervised:
        try:
            training, table = semi_supervised_split(table, stream(seed, "semi-supervised split"))
        except InputError as error:
            raise InputError(f"{spec.title}: {error}") from None
    network = network_of_spec(spec, seed)
    return Source(spec.title, seed, table, content_hash(table), spec.origin, network, training)


def network_of_spec(spec: TableSpec, seed: int) -> "AdditiveNoiseNetwork | None":
    """Return the network that makes the table that `spec` names; None where that is not known."""
    if spec.recipe is not None:
        return network_of(_recipe(spec), seed)
    recipe = Path(str(spec.release)) / str(spec.table) / RECIPE
    is_of_recipe = spec.release is not None and recipe.exists()
    return network_of(read_spec(recipe, Recipe), seed) if is_of_recipe else None


def _from_release(release: Path, family: str, seed: int) -> LabelledTable:
    """Return a table of a release, as its manifest has it."""
    name = f"{family}/seed-{seed}"
    table = read_table(release / name)
    _check_recorded(release, name, content_hash(table))
    return table


def _check_recorded(release: Path, name: str, found: str) -> None:
    recorded = read_manifest(release).tables.get(name)
    if recorded is None or recorded.content_hash != found:
        raise InputError(f"{release / name}: not the table that the release's manifest names")


def check_source(spec: TableSpec, seeds: Iterable[int]) -> None:
    """Find what is wrong with a table that `spec` names, without making it.

    Names, parameters, whether files are there, and whether a release's table is that of its manifest. A file
    of ADBench is downloaded.

    Raises
    ------
    InputError
        If something is.
    """
    if spec.recipe is not None:
        _recipe(spec)
    elif spec.release is not None:
        for seed in seeds:
            name = f"{spec.table}/seed-{seed}"
            _check_recorded(Path(spec.release), name, read_header(Path(spec.release) / name).content_hash)
    else:
        check_dataset(str(spec.dataset), spec.label, run_code=True)
    if spec.inject is not None and spec.inject.kinds is not None:
        check_models(check_kinds(spec.inject.kinds), spec.inject.protocol)


def n_values(spec: TableSpec) -> int | None:
    """Return about how many values a table has; None of one that only loading it tells."""
    if spec.dataset is not None:
        return size_of(spec.dataset)
    if spec.recipe is None:
        return None
    recipe = _recipe(spec)
    return recipe.rows * recipe.graph.nodes


def identify(spec: TableSpec, seed: int) -> str | None:
    """Return a hash of all that determines a table, without making it; None where the user's code does.

    That is the spec without its name, the files that it names, the code that makes tables, and the versions
    of the libraries that this uses.
    """
    determined_by: dict[str, Any] = {"spec": spec.model_dump(exclude={"name"}), "seed": seed}
    if spec.recipe is not None:
        determined_by["recipe"] = _recipe(spec).model_dump(mode="json")
    elif spec.release is not None:
        determined_by["release"] = file_hashes(f"{spec.release}/{spec.table}/seed-{seed}")
        recipe = Path(spec.release) / str(spec.table) / RECIPE
        determined_by["recipe"] = file_hashes(str(recipe)) if recipe.exists() else None
    elif not is_named(str(spec.dataset)):
        if not is_there(str(spec.dataset)):
            return None
        determined_by["files"] = file_hashes(str(spec.dataset))
    text = json.dumps(determined_by | {"code": _code()}, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


@cache
def _code() -> dict[str, str]:
    """Return what the code that makes tables is, all files of both packages, and its libraries' versions."""
    digest = sha256()
    packages = Path(__file__).parents[2]
    for path in sorted(path for part in ("datasets", "generator") for path in (packages / part).rglob("*.*")):
        if path.suffix in {".py", ".csv", ".yaml"}:
            digest.update(f"{path.relative_to(packages)} {path.stat().st_size} ".encode())
            digest.update(path.read_bytes())
    return {name: version(name) for name in LIBRARIES} | {"source": digest.hexdigest()}


def _recipe(spec: TableSpec) -> Recipe:
    recipe = load_recipe(str(spec.recipe))
    if spec.rows is None:
        return recipe
    return with_rows(recipe, spec.rows)


def _from_dataset(spec: TableSpec, seed: int, load: LoadDataset, *, run_code: bool) -> LabelledTable:
    """Load a data set, and put anomalies in; only ADBench's own anomalies get its size rules.

    An injected table is thinned where it is too long, but a short one is not drawn up to 1,000 rows: no row
    is there twice.
    """
    name = str(spec.dataset)
    table = load(name, spec.label, run_code=run_code)
    if name.startswith("adbench:") and (spec.inject is None or table.n_rows > MOST_ROWS):
        table = resize(table, stream(seed, "resize"))
    if spec.inject is None:
        return table
    kinds = {} if spec.inject.kinds is None else {"kinds": spec.inject.kinds}
    try:
        return inject(
            table,
            ratio=spec.inject.ratio,
            base=spec.inject.base,
            seed=seed,
            protocol=spec.inject.protocol,
            **kinds,
        )
    except InputError as error:
        raise type(error)(f"{spec.title}: {error}") from None
