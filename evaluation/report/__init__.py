"""The report of a run: pages that open offline, or the same tables as Markdown, CSV and LaTeX."""

from .writer import FORMATS, write_report

__all__ = ["FORMATS", "write_report"]
