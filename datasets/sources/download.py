"""Downloads files into the user's cache; apart, since pooch takes a while to import."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pooch

from xadbench.datasets.common.errors import InputError

Check = Callable[[bytes], object]


def download(url: str, place: Path, most_bytes: int, check: Check) -> Path:
    """Return where a file is kept, downloaded unless it is there; `OSError` if it cannot be.

    Parameters
    ----------
    url
        Where it comes from.
    place
        Where it is kept, within the cache of XADBench.
    most_bytes
        Its limit: what is larger is refused on the way.
    check
        Raises what is wrong with the content; then nothing is kept.
    """
    path = Path(pooch.os_cache("xadbench")) / place
    return Path(pooch.retrieve(url, None, path.name, path.parent, downloader=_downloader(most_bytes, check)))


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


def _downloader(most_bytes: int, check: Check) -> Callable[..., None]:
    """Return what pooch calls with a temporary file, which it moves into place if nothing was raised.

    The hash is checked here, since pooch does not know git's.
    """

    def write(url: str, output_file: str, pooch_: object) -> None:
        path = Path(output_file)
        with path.open("wb") as file:
            pooch.HTTPDownloader()(url, _Limited(file, most_bytes, url), pooch_)
        check(path.read_bytes())

    return write
