"""The tables that a suite names."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from xadbench.datasets import InputError, LabelledTable, content_hash, read_table, resize
from xadbench.datasets.common.specs import read_spec
from xadbench.datasets.preprocessing import MOST_ROWS, semi_supervised_split
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.loading import load_dataset
from xadbench.generator import generate, inject, load_recipe
from xadbench.generator.recipe import Recipe, with_rows
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.simulation import network_of

from .spec import TableSpec

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork


RECIPE = "recipe.yaml"  # in a release, beside the tables that it made


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


def load_source(spec: TableSpec, seed: int, *, run_code: bool = True) -> Source:
    """Make or load the table that `spec` names; `run_code` is that of `load_dataset`.

    Raises
    ------
    InputError
        If a name is unknown, or a file is missing or altered.
    """
    network: AdditiveNoiseNetwork | None = None
    if spec.recipe is not None:
        recipe = _recipe(spec)
        table, network = generate(recipe, seed), network_of(recipe, seed)
    elif spec.release is not None:
        table, network = _from_release(Path(spec.release), str(spec.table), seed)
    else:
        table = _from_dataset(spec, seed, run_code=run_code)
    training = None
    if spec.semi_supervised:
        try:
            training, table = semi_supervised_split(table, stream(seed, "semi-supervised split"))
        except InputError as error:
            raise InputError(f"{spec.title}: {error}") from None
    return Source(spec.title, seed, table, content_hash(table), spec.origin, network, training)


def _from_release(
    release: Path, family: str, seed: int
) -> "tuple[LabelledTable, AdditiveNoiseNetwork | None]":
    """Return a table of a release, as its manifest has it, and its network if a recipe made it."""
    name = f"{family}/seed-{seed}"
    table = read_table(release / name)
    recorded = read_manifest(release).tables.get(name)
    if recorded is None or recorded.content_hash != content_hash(table):
        raise InputError(f"{release / name}: not the table that the release's manifest names")
    recipe = release / family / RECIPE
    return table, network_of(read_spec(recipe, Recipe), seed) if recipe.exists() else None


def _recipe(spec: TableSpec) -> Recipe:
    recipe = load_recipe(str(spec.recipe))
    if spec.rows is None:
        return recipe
    return with_rows(recipe, spec.rows)


def _from_dataset(spec: TableSpec, seed: int, *, run_code: bool) -> LabelledTable:
    """Load a data set, and put anomalies in; only ADBench's own anomalies get its size rules.

    An injected table is thinned where it is too long, but a short one is not drawn up to 1,000 rows: no row
    is there twice.
    """
    name = str(spec.dataset)
    table = load_dataset(name, spec.label, run_code=run_code)
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
