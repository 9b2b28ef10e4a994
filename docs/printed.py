"""What a notebook printed, in one piece."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import nbformat
from nbformat import NotebookNode


def read(text: str) -> NotebookNode:
    """Return a notebook; a kernel sends what a cell prints in pieces, cut anywhere: they are joined."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = list(joined(cell.outputs))
    return notebook


def joined(outputs: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield outputs, the pieces of a stream that follow each other as one."""
    for stream, pieces in groupby(outputs, key=lambda output: output.get("name")):
        first, *rest = pieces
        if stream is None:
            yield from (first, *rest)
        else:
            first.text += "".join(piece.text for piece in rest)
            yield first
