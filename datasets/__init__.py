"""What a data set is, and where real ones come from."""

from typing import TYPE_CHECKING

from .common.errors import InputError
from .common.lazy_names import lazy_names

if TYPE_CHECKING:
    from .files import content_hash, read_table, write_table
    from .preprocessing import resize, standardise
    from .sources.adbench import load_adbench
    from .sources.bundled import load_bundled
    from .table import InvalidTable, LabelledTable

__all__ = [
    "LabelledTable",
    "load_adbench",
    "load_bundled",
    "read_table",
    "write_table",
    "content_hash",
    "resize",
    "standardise",
    "InputError",
    "InvalidTable",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("content_hash", "read_table", "write_table"), ".files"),
        **dict.fromkeys(("resize", "standardise"), ".preprocessing"),
        "load_adbench": ".sources.adbench",
        "load_bundled": ".sources.bundled",
        **dict.fromkeys(("InvalidTable", "LabelledTable"), ".table"),
    },
)
