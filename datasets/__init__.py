"""What a data set is, and where real ones come from."""

from xadbench.datasets.errors import InputError
from xadbench.datasets.table import InvalidTable, LabelledTable

__all__ = ["LabelledTable", "InputError", "InvalidTable"]
