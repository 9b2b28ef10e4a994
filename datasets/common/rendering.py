"""Tables as text, one function an output form, and text from data or from users' code made harmless in each.

A table is a DataFrame whose columns are named by their headings; its cells are shown as `str` has them. The
pages of a report are rendered by Jinja, whose escaping is that of HTML: `evaluation/report/templates`.
"""

import html
import re
from collections.abc import Container

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from .errors import printable

ACTIVE = re.compile(
    r"[\\`*\[\]|~$]|^#|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])"
)  # as Markdown, or GitHub's, has it
LINKING = re.compile(r"@|#(?=\d)|:(?=//)|www(?=\.)")  # where GitHub makes a mention, a reference or a link
# What a spreadsheet calculates begins so; those of full width count where Chinese or Japanese is written.
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
ARGUMENT = re.compile(r"^[\[*]", re.MULTILINE)  # of the line break of LaTeX that is before a row


def plain(text: object) -> Text:
    r"""Return a text as a terminal shows it: no markup of rich's, and what could steer one is spelled out.

    Examples
    --------
    >>> from xadbench.datasets.common.rendering import plain
    >>> print(plain("[bold]a\x1b[31m"))
    [bold]a\x1b[31m
    """
    return Text(printable(str(text)))


def escaped(text: object) -> str:
    r"""Return text that Markdown shows as it is, in one line: no markup, no HTML, no link and no mention.

    A space of no width keeps GitHub from making these.

    Examples
    --------
    >>> from xadbench.datasets.common.rendering import escaped
    >>> print(escaped("z_score | <b> @all"))
    z_score \| &lt;b&gt; @&#8203;all
    """
    words = printable(" ".join(str(text).split()))
    return LINKING.sub(r"\g<0>&#8203;", html.escape(ACTIVE.sub(r"\\\g<0>", words), quote=False))


def code(text: str) -> str:
    """Return a text as a code span of Markdown, where no HTML, link or mention in it counts."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    gap = " " if "`" in text else ""
    return f"{fence}{gap}{printable(text)}{gap}{fence}"


def as_markdown(table: pd.DataFrame, markup: Container[str] = ()) -> str:
    """Return a table in Markdown, without a line break at its end.

    Cells and headings are `escaped`, except for the cells in columns of `markup`, which are Markdown already.
    """
    cells = {name: list(map(_bounded if name in markup else escaped, of)) for name, of in table.items()}
    shown = pd.DataFrame(cells).rename(columns=escaped)
    return str(shown.to_markdown(index=False, disable_numparse=True))


def _bounded(markup: str) -> str:
    """Return a cell without a pipe that ends it; in a table, one does so even in a code span."""
    return re.sub(r"(\\*)\|", r"\1\1\\|", markup)


def as_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV; text that a spreadsheet takes for a formula begins with an apostrophe there."""
    cells = {_csv_cell(name): pd.Series(map(_csv_cell, of), dtype=object) for name, of in table.items()}
    return str(pd.DataFrame(cells).to_csv(index=False, lineterminator="\n"))


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if FORMULA.match(text) else text


def as_latex(table: pd.DataFrame) -> str:
    """Return a table as a longtable of LaTeX; a cell is one line, since a blank line would end the table."""
    cells = table.map(_latex_cell).rename(columns=_latex_cell)
    return ARGUMENT.sub(r"{}\g<0>", str(cells.to_latex(index=False, escape=True, longtable=True)))


def _latex_cell(value: object) -> str:
    return printable(" ".join(str(value).split()))


def as_rich(
    table: pd.DataFrame,
    title: str = "",
    names: Container[str] = (),
    *,
    sections: Container[int] = (),
    padding: int = 1,
    edge: bool = True,
) -> Table:
    """Return a table for a terminal.

    Parameters
    ----------
    table
        What to show.
    title
        Above it; none if empty.
    names
        Headings of the columns that hold names: on the left, in several lines where the terminal is narrow.
        Others are on the right, and never cut or broken.
    sections
        Positions of the rows with a line above them.
    padding
        Spaces between columns beyond the one that is always there.
    edge
        Whether to have an empty line above and below, and a space on each side.
    """
    shown = Table(
        title=plain(title) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, padding, 0, 0),
        pad_edge=edge,
        show_edge=edge,
    )
    rows = [[plain(value) for value in row] for row in table.itertuples(index=False)]
    for i, heading in enumerate(map(str, table.columns)):
        if heading in names:
            shown.add_column(plain(heading), overflow="fold")
        else:
            is_broken = len(heading) >= max((len(row[i]) for row in rows), default=0)
            text = "\n".join(map(printable, heading.split(" "))) if is_broken else printable(heading)
            shown.add_column(Text(text), justify="right", no_wrap=True)
    for i, row in enumerate(rows):
        if i in sections:
            shown.add_section()
        shown.add_row(*row)
    return shown
