"""The report of a run: pages that open offline, or the same tables as Markdown, CSV and LaTeX."""

from . import plot
from .writer import FORMATS, report

__all__ = ["FORMATS", "report", "plot"]
