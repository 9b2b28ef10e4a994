"""Folders that commands write: refused where something is there, or with --force replaced if it is ours."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from xadbench.datasets import InputError
from xadbench.evaluation.results.store import OTHERS


class Written(NamedTuple):
    """What a command writes: a file that marks it, the others beside it, and one that inner folders have."""

    what: str
    mark: str
    others: tuple[str, ...]
    inner: tuple[str, ...] = ()


TABLE = Written("table", "table.json", ("*.parquet",))
EXPORT = Written("export", "manifest.json", ("README.txt",), ("rows.csv", "rows.parquet"))
RELEASE = Written(
    "release",
    "release.yaml",
    ("manifest.json", "croissant.json", "DATASHEET.md", "CITATION.cff", "LICENCES.md", "leaks.md"),
    ("recipe.yaml", "injection.yaml"),
)
RUN = Written("run", "run.json", OTHERS)


@contextmanager
def replaceable(folder: Path, written: Written, *, is_forced: bool) -> Iterator[Path]:
    """Yield a folder that is not there: what was comes back on an error, and goes at the end.

    Raises
    ------
    InputError
        If something is there and is not to be replaced, or is not what such a command wrote: it stays.
    """
    if not folder.exists() and not folder.is_symlink():
        yield folder
        return
    if not is_forced:
        raise InputError(
            f"{folder} exists already; choose another folder, or replace the {written.what} with --force"
        )
    if foreign := _foreign(folder, written):
        raise InputError(f"{folder}: {foreign}; --force replaces only what such a command wrote")
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.resolve().parent))
    before = folder.rename(aside / "before")
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # the half of a new one
        before.rename(folder)
        raise
    finally:
        shutil.rmtree(aside)


def _foreign(folder: Path, written: Written) -> str:
    """Return what in a folder is no work of ours; empty if all is."""
    if folder.is_symlink() or not folder.is_dir():
        return "is not a folder"
    if not (folder / written.mark).is_file():
        return f"holds no {written.what}, which has {written.mark}"
    known = written.mark, *written.others
    others = [
        path.name
        for path in folder.iterdir()
        if not any(fnmatchcase(path.name, one) for one in known)
        and not any((path / one).is_file() for one in written.inner)
    ]
    return f"also holds {min(others)}, which stays" if others else ""
