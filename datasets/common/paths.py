"""Names of files from files that may be anybody's: they stay inside their folder."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import StringConstraints

from .errors import InputError

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"  # of one folder or file
LONGEST_NAME = 100  # with what is put before and behind it, a name fits every file system's 255 bytes
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=LONGEST_NAME)]
LONGEST_PATH = 1000
FORBIDDEN = re.compile(r"[\\:\x00-\x1f\x7f]")  # drives, other systems' separators, control characters


def check_path(name: str) -> str:
    """Return the name of a file inside a folder, such as `a/b.json`; raise `InputError` for any other.

    Refused are absolute names and drives, "..", backslashes, control characters, names that are not in their
    shortest form (`a//b`, `./a`), and those too long for a file system.
    """
    parts = name.split("/")
    if (
        FORBIDDEN.search(name)
        or str(PurePosixPath(name)) != name
        or {"", ".", ".."}.intersection(parts)
        or len(name) > LONGEST_PATH
        or any(len(os.fsencode(part)) > 255 for part in parts)
    ):
        raise InputError(f"{name!a:.80} does not name a file inside the folder")
    return name


def inside(folder: Path, name: str) -> Path:
    """Return the path of the file `name` of `folder`, which need not exist.

    Raises
    ------
    InputError
        If the name leads out of the folder, if a link does, or if it is there but no plain file.
    """
    path = folder / check_path(name)
    try:
        stays = path.resolve().is_relative_to(folder.resolve())
        plain = path.is_file() or not path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # a name too long or with a NUL, a link to itself
        raise InputError(f"{str(path)!a:.200}: cannot be read: {error}") from None
    if not stays:
        raise InputError(f"{path}: a link out of {folder}; put the file itself there")
    if not plain:
        raise InputError(f"{path}: not a plain file")
    return path


def is_name(text: str) -> bool:
    """Tell whether a text can name one folder or file."""
    return len(text) <= LONGEST_NAME and re.fullmatch(NAME, text) is not None


def is_there(name: str) -> bool:
    """Tell whether a path, which may be any text, is that of a file or folder."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for the system, or with a NUL
        return False
