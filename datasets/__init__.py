"""What a data set is, and where real ones come from."""

from xadbench.datasets.adbench import load_adbench
from xadbench.datasets.bundled import load_bundled
from xadbench.datasets.errors import InputError
from xadbench.datasets.files import content_hash, read_table, write_table
from xadbench.datasets.preprocess import resize, standardise
from xadbench.datasets.table import InvalidTable, LabelledTable

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
