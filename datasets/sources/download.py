"""Downloads files of ADBench into the user's cache; apart, since pooch takes a while to import."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pooch

from xadbench.datasets.common.errors import InputError

if TYPE_CHECKING:
    from .adbench import AdbenchFile


def download(entry: "AdbenchFile", url: str) -> Path:
    """Return where the file is kept, downloaded unless it is there; `OSError` if it cannot be."""
    folder = Path(pooch.os_cache("xadbench")) / "adbench" / entry.group
    return Path(pooch.retrieve(url, None, entry.file, folder, downloader=_downloader(entry)))


class _Limited:
    """A file to write that refuses what is more than a limit."""

    def __init__(self, file: BinaryIO, most: int, where: str) -> None:
        self.file, self.most, self.where = file, most, where
        self.flush = file.flush

    def write(self, part: bytes) -> int:
        """Write a part, unless it would be one too many."""
        if self.file.tell() + len(part) > self.most:
            raise InputError(f"{self.where}: more than {self.most} bytes, the limit of this file")
        return self.file.write(part)


def _downloader(entry: "AdbenchFile") -> Callable[..., None]:
    """Return what pooch calls with a temporary file, which it moves into place if nothing was raised.

    The hash is checked here, since pooch does not know git's.
    """

    def write(url: str, output_file: str, pooch_: object) -> None:
        path = Path(output_file)
        with path.open("wb") as file:
            pooch.HTTPDownloader()(url, _Limited(file, entry.most_bytes, url), pooch_)
        entry.check(path.read_bytes(), where=url)

    return write
