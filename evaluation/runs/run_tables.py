"""The tables of a run: made where the first trial needs them, and known by their hash when it is resumed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from xadbench.datasets import InputError, LabelledTable, read_table, write_table
from xadbench.datasets.common.errors import Infeasible
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.results import store
from xadbench.evaluation.results.table_summary import write_summaries
from xadbench.evaluation.suite.spec import TableSpec
from xadbench.evaluation.suite.tables import KnownTable, Source, identify, load_source, network_of_spec

MADE = "made"  # the folder of a run where it says which table came of which spec
Found = KnownTable | str  # a table, or why it is infeasible


@dataclass(frozen=True)
class TableRequest:
    """A table that a suite asks for; `identity` is None where nothing tells whether it is the same."""

    spec: TableSpec
    seed: int
    identity: str | None

    @classmethod
    def of(cls, spec: TableSpec, seed: int) -> "TableRequest":
        """Return the request for the table of a spec and a seed."""
        return cls(spec, seed, identify(spec, seed))


def recorded(run: Path, request: TableRequest) -> Found | None:
    """Return what an earlier process recorded of a table in a run's folder; None where none did."""
    if request.identity is None:
        return None
    values = store.read_json(run / MADE / f"{request.identity}.json", run)
    try:
        if values is None:
            return None
        if "infeasible" in values:
            return str(values["infeasible"])
        labels = {"label": request.spec.title, "seed": request.seed, "origin": request.spec.origin}
        return KnownTable(**values | labels)
    except TypeError:  # another version's
        return None


def _record(run: Path, request: TableRequest, found: Found) -> None:
    if request.identity is not None:
        values = {"infeasible": found} if isinstance(found, str) else asdict(found)
        store.write_json(run / MADE / f"{request.identity}.json", values)


class Tables:
    """Makes tables, and keeps the last one, and the data set behind it, for the next request."""

    def __init__(self) -> None:
        self._table: tuple[TableRequest, Source] | None = None
        self._dataset: tuple[tuple[str, str | None], LabelledTable] | None = None

    def source(self, request: TableRequest, load: Callable[[], Source] | None = None) -> Source:
        """Return a table; if it is not the last one, by `load`, or made again."""
        if self._table is None or self._table[0] != request:
            self._table = None  # two need not be in memory at once
            self._table = request, load() if load else self._make(request)
        return self._table[1]

    def _make(self, request: TableRequest) -> Source:
        return load_source(request.spec, request.seed, load=self._load_dataset)

    def _load_dataset(self, name: str, label: str | None, *, run_code: bool) -> LabelledTable:
        if self._dataset is None or self._dataset[0] != (name, label):
            self._dataset = None
            self._dataset = (name, label), load_dataset(name, label, run_code=run_code)
        return self._dataset[1]

    def survey(self, run: Path, request: TableRequest) -> Found:
        """Make a table, and record what a resumed run and a report must know of it."""
        try:
            source = self.source(request)
        except Infeasible as error:
            _record(run, request, str(error))
            return str(error)
        write_summaries(run, [source])
        _record(run, request, source.known)
        return source.known


@cache  # one a process: a worker serves one run at a time
def tables_of_process() -> Tables:
    """Return the tables of a worker."""
    return Tables()


def survey_in_workers(
    run: Path, requests: Iterable[TableRequest], executor: Executor, folder: Path
) -> Iterator[Found]:
    """Yield what is to be known of tables, each made in a worker, which writes it into `folder`."""
    numbered = list(enumerate(requests))
    futures = [
        executor.submit(_survey, run.resolve(), request, (folder / f"{i}").resolve())
        for i, request in numbered
    ]
    yield from (future.result() for future in futures)


def _survey(run: Path, request: TableRequest, place: Path) -> Found:
    with one_thread():
        tables = tables_of_process()
        found = tables.survey(run, request)
        if isinstance(found, KnownTable) and found.training_hash is None:
            write_table(tables.source(request).table, place)
    return found


def load_in_worker(request: TableRequest, known: KnownTable, place: Path | None = None) -> Source:
    """Return, in a worker, a table: that which a worker wrote to `place`, or made again.

    Raises
    ------
    InputError
        If it is not the table that is known.
    """
    read = partial(_read, place, request, known) if place is not None and place.exists() else None
    return load_known(tables_of_process(), request, known, read)


def load_known(
    tables: Tables, request: TableRequest, known: KnownTable, read: Callable[[], Source] | None = None
) -> Source:
    """Return a table that is known from a record; `InputError` if it is another one by now."""
    source = tables.source(request, read)
    if (source.hash, source.training_hash) != (known.hash, known.training_hash):
        raise InputError(f"{known.label}, seed {known.seed}: not the table that the run began with")
    return source


def _read(place: Path, request: TableRequest, known: KnownTable) -> Source:
    network = network_of_spec(request.spec, request.seed)
    return Source(known.label, known.seed, read_table(place), known.hash, known.origin, network)


def same(source: Any) -> Any:
    """Return what is given: of a job whose table is in memory, how to load it."""
    return source
