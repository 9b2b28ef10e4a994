"""Build a release: every table, then what describes them, and the manifest last."""

import errno
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel

from xadbench import __version__
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.files import atomic_write, write_parts
from xadbench.datasets.sources.loading import load_dataset
from xadbench.datasets.table import LabelledTable
from xadbench.generator.generation import generate_blocks
from xadbench.generator.injection.inject import inject
from xadbench.generator.recipe import Recipe

from .citation import CITATION, citation
from .croissant import CROISSANT, check_mlcroissant, croissant
from .datasheet import DATASHEET, datasheet
from .licences import LICENCES, licences
from .manifest import MANIFEST, TableRecord, describe, hash_files, write_manifest
from .spec import Entry, Injection, Release

RELEASE = "release.yaml"
TABLE_FILES = ("clean.parquet", "mask.parquet", "samples.parquet", "table.json")

AUDIT = "audit.md"
LEAKS = "leaks.md"

OnTable = Callable[[Path], object]
Audit = Callable[[Recipe, int], str]
Check = Callable[[Mapping[str, Path]], str]


class Job(NamedTuple):
    """One table to make: where, from what, and with which seed."""

    folder: Path
    source: Recipe | Injection
    seed: int


def build(
    release: Release,
    out: str | os.PathLike[str],
    *,
    on_table: OnTable | None = None,
    workers: int = 1,
    audit: Audit | None = None,
    check: Check | None = None,
) -> Path:
    """Make every table of a release, and its metadata.

    What an interrupted build has finished is read back, checked and kept, never rewritten. The content does
    not depend on the number of workers.

    Parameters
    ----------
    release
        What to build; see `load_release`.
    out
        A new or empty folder, or that of an unfinished build of the same release by the same version.
    on_table
        Called with each table's folder, and each audit's file, as it stands.
    workers
        Number of processes that make tables, at least 1.
    audit
        Returns the audit of a recipe's table of some seed, in Markdown. Each recipe's first table is audited,
        once, and the datasheet shows it.
    check
        Called with the folders of all tables by their names before the release is finished: returns what it
        found in Markdown, for the file leaks.md, or raises what ends the build.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InputError
        If `out` holds anything else, a finished table was altered, a data set cannot be loaded, mlcroissant
        is missing, or the disk is full. No partial table stays.
    """
    if workers < 1:
        raise InputError(f"workers is {workers}; expected at least 1")
    check_mlcroissant()
    folder = Path(out)
    with _one_line_for_the_disk(folder):
        _open(folder, release)
        _load_datasets(release)
        jobs = [
            Job(folder / table, entry.source, seed)
            for entry in release.tables
            for table, seed in zip(entry.tables, entry.seeds, strict=True)
        ]
        tell = on_table or (lambda _: None)
        records = {}
        for job, record in zip(jobs, _run(jobs, workers), strict=True):
            records[job.folder.relative_to(folder).as_posix()] = record
            tell(job.folder)
        audits = _audits(folder, release, audit, tell) if audit else {}
        if check:
            text = check({name: folder / name for name in records})
            _write(folder / LEAKS, f"# Leak controls\n\n{text}\n")
        _finish(folder, release, records, audits)
    return folder


def make(source: Recipe | Injection, seed: int) -> LabelledTable:
    """Return the table of that source and seed, as a release has it."""
    return LabelledTable.concatenate(list(make_parts(source, seed)))


def make_parts(source: Recipe | Injection, seed: int) -> Iterator[LabelledTable]:
    """Yield the table of that source and seed part by part."""
    if isinstance(source, Recipe):
        yield from generate_blocks(source, seed)
    else:
        table = _dataset(source.dataset, source.label)
        yield inject(
            table, source.kinds, ratio=source.ratio, base=source.base, seed=seed, protocol=source.protocol
        )


@lru_cache(maxsize=1)
def _dataset(name: str, label: str | None) -> LabelledTable:
    return load_dataset(name, label)


def source_file(source: Recipe | Injection) -> str:
    """Return the name of the file, beside the tables, that holds what they are made from."""
    return "recipe.yaml" if isinstance(source, Recipe) else "injection.yaml"


@contextmanager
def _one_line_for_the_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else " ".join(str(error).split())
        raise InputError(f"{folder}: {what}; the finished tables stay, and the same build goes on") from None


def _open(folder: Path, release: Release) -> None:
    """Make the folder that of an unfinished build of `release`, or refuse it."""
    text = f"# Made by xadbench {__version__}; {RELEASE} and seeds determine every table.\n{_yaml(release)}"
    marker = folder / RELEASE
    if folder.is_dir():
        _sweep(folder, RELEASE)
        if any(folder.iterdir()):
            _check_unfinished(folder, release, text)
            return
    elif folder.exists():
        raise InputError(f"{folder} is not a folder")
    _write(marker, text)


def _check_unfinished(folder: Path, release: Release, text: str) -> None:
    marker = folder / RELEASE
    what = f"{release.name} {release.version} by xadbench {__version__}"
    if not marker.is_file() or marker.read_text(encoding="utf-8") != text:
        raise InputError(f"{folder} is not empty, and no unfinished build of {what}; choose another folder")
    if (folder / MANIFEST).exists():
        raise InputError(f"{folder} is a finished build of {what}; it can be verified, not built again")
    _sweep(folder, CROISSANT, DATASHEET, CITATION, LICENCES, LEAKS, MANIFEST)
    for entry in release.tables:
        names = [table.rpartition("/")[2] for table in entry.tables]
        _sweep(folder / entry.folder, source_file(entry.source), AUDIT, *names)


def _sweep(folder: Path, *names: str) -> None:
    """Remove the drafts of these files and folders that a killed build left."""
    for name in names:
        for draft in folder.glob(f".{name}-*"):
            if draft.is_dir():
                shutil.rmtree(draft)
            else:
                draft.unlink()


def _load_datasets(release: Release) -> None:
    """Load each data set once: what is missing shows before the work rather than after it."""
    for entry in release.tables:
        if entry.inject is not None:
            _dataset(entry.inject.dataset, entry.inject.label)


def _run(jobs: list[Job], workers: int) -> Iterator[TableRecord]:
    if workers == 1:
        yield from map(_do, jobs)
        return
    # Spawned, not forked: pgmpy brings torch, whose threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    n = min(workers, len(jobs))
    with ProcessPoolExecutor(n, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            yield from pool.map(_do, jobs)
        except BrokenExecutor:
            raise InputError("a worker was killed, perhaps for want of memory; use fewer workers") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(job: Job) -> TableRecord:
    if not job.folder.exists():
        write_parts(make_parts(job.source, job.seed), job.folder)
    return describe(job.folder, job.seed)


def _audits(folder: Path, release: Release, audit: Audit, tell: OnTable) -> dict[str, str]:
    """Return the audit of every entry that is a recipe, by its folder; those on disk are kept."""
    audits = {}
    for entry in release.tables:
        path = folder / entry.folder / AUDIT
        if isinstance(entry.source, Recipe):
            if not path.exists():
                _write(path, audit(entry.source, entry.seeds[0]))
            tell(path)
            audits[entry.folder] = path.read_text(encoding="utf-8")
    return audits


def _finish(
    folder: Path, release: Release, records: Mapping[str, TableRecord], audits: Mapping[str, str]
) -> None:
    """Write what describes the tables, then the manifest."""
    for entry in release.tables:
        _write(folder / _source_path(entry), _yaml(entry.source))
    names = [RELEASE, *map(_source_path, release.tables), *(f"{entry}/{AUDIT}" for entry in audits)]
    names += [f"{table}/{file}" for table in records for file in TABLE_FILES]
    names += [LEAKS] if (folder / LEAKS).exists() else []
    files = hash_files(folder, names)
    described = {
        CROISSANT: croissant(release, folder, files),
        DATASHEET: datasheet(release, records, audits),
        CITATION: citation(release),
        LICENCES: licences(release),
    }
    for name, text in described.items():
        _write(folder / name, text)
    write_manifest(folder, release, records, files | hash_files(folder, described))


def _source_path(entry: Entry) -> str:
    return f"{entry.folder}/{source_file(entry.source)}"


def _yaml(model: BaseModel) -> str:
    return yaml.safe_dump(
        model.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True, width=100
    )


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())
