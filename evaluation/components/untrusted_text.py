"""What is shown on a terminal of text that comes from data or from the user's code."""

from rich.text import Text

from xadbench.datasets.common.errors import printable


def plain(text: str) -> Text:
    r"""Return a text as it is: no markup of rich's, and what could steer a terminal is spelled out.

    Examples
    --------
    >>> from xadbench.evaluation.components.untrusted_text import plain
    >>> print(plain("[bold]a\x1b[31m"))
    [bold]a\x1b[31m
    """
    return Text(printable(text))
