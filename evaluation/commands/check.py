"""`xadbench check`: whether an explainer keeps what every explainer must, and if not, what to mend."""

from typing import Annotated

import typer

from xadbench.datasets.errors import printable
from xadbench.evaluation.commands.score import parameters
from xadbench.evaluation.contract import CHECKS, Subject, findings
from xadbench.evaluation.explainers import Explainer, make_explainer

FAILED = 1


def check(
    explainer: Annotated[
        str, typer.Argument(help="package.module:Name, path/to/file.py:name, or a name that is listed.")
    ],
    param: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A parameter of it; may be given again.")
    ] = None,
) -> None:
    """Check on toy detectors that an explainer keeps what all must; exit code 1 if it does not."""
    params = parameters(param or [])

    def make(random_state: int) -> Explainer:
        return make_explainer(explainer, random_state=random_state, **params)

    make(0)  # what cannot be made is wrong input, not an explainer with a fault
    n_passed = 0
    for asked, finding in findings(Subject(make)):
        if finding is None:
            n_passed += 1
            typer.echo(f"ok      {asked.name}: {asked.asks}")
        else:
            typer.echo(printable(f"FAILED  {asked.name}: {finding.problem}"))
            typer.echo(f"        To mend: {finding.remedy}")
    typer.echo(f"{explainer}: {n_passed} of {len(CHECKS)} checks passed")
    if n_passed < len(CHECKS):
        raise typer.Exit(FAILED)
