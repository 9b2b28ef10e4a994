"""What a data set is, and where real ones come from."""

from .common.errors import InputError
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
