"""Options that several commands have, and what their values may be."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import parse_yaml
from xadbench.evaluation.components.registry import SEED
from xadbench.evaluation.suite.spec import suite_names


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what completes a name in the user's shell."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


Affected = Annotated[
    Literal["per-row", "paper", "published"],
    typer.Option(
        help="per-row draws the affected features for each anomaly; paper draws them once for each kind; "
        "published also makes local as the published code does on a Gaussian mixture."
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help="A data set to add to the suite. Anomalies are injected if it has no ground truth.",
    ),
]
Detector = Annotated[str | None, typer.Option(metavar="SPEC", help="A detector to add to the suite.")]
LabelColumn = Annotated[str | None, typer.Option(help="The column of the file that marks anomalies.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what an earlier command wrote.")]
InProcess = Annotated[
    bool,
    typer.Option(
        "--in-process",
        help="Run your own code in this process, for a debugger. What ends or stops it ends the run.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder to write.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="K=V", help="A parameter of the component. May be repeated."),
]
RECIPE = "A shipped recipe, or the path of a .yaml file."
SUITE = "A shipped suite, or the path of a .yaml file."
ScoredSuite = Annotated[str, typer.Option("--suite", help=SUITE, autocompletion=completing(suite_names))]
Seed = Annotated[int, typer.Option(min=0, help="The seed of all random choices.")]


def split_commas(values: list[str] | None) -> list[str]:
    """Return the values of an option that takes several, each given by itself or with commas between."""
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that a command line gives as `name=value`; a value is a YAML scalar or list.

    Examples
    --------
    >>> from xadbench.evaluation.cli.options import parameters
    >>> parameters(["depth=3", "centre=median", "sizes=[1, 2]"])
    {'depth': 3, 'centre': 'median', 'sizes': [1, 2]}
    """
    params: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InputError(f"--param {text!r}: expected name=value, such as depth=3")
        if name in params:
            raise InputError(f"--param {text!r}: {name} is given twice")
        if name == SEED:
            raise InputError(f"--param {text!r}: {SEED} is that of each trial or check; leave it out")
        params[name] = parse_yaml(value, f"--param {text!r:.80}")
    return params


def whole_number(what: str, text: str) -> int:
    """Return a number of at least 0; `InputError` for any other text."""
    if not text.isdecimal():
        raise InputError(f"{what} is {text!r}, expected a whole number of at least 0")
    return int(text)
