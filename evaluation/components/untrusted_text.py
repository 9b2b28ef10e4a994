"""Text that comes from data or from the user's code, as a terminal or Markdown shows it without harm."""

import html
import re

from rich.text import Text

from xadbench.datasets.common.errors import printable

LINKING = re.compile(r"@|#(?=\d)|:(?=//)|www(?=\.)")  # where GitHub makes a mention, a reference or a link


def plain(text: str) -> Text:
    r"""Return a text as it is: no markup of rich's, and what could steer a terminal is spelled out.

    Examples
    --------
    >>> from xadbench.evaluation.components.untrusted_text import plain
    >>> print(plain("[bold]a\x1b[31m"))
    [bold]a\x1b[31m
    """
    return Text(printable(text))


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no cell of its own, and no link or mention.

    A space of no width keeps GitHub from making these.
    """
    plain = re.sub(r"([\\`*_\[\]|])", r"\\\1", printable(" ".join(text.split())))
    return LINKING.sub(r"\g<0>&#8203;", html.escape(plain, quote=False))
