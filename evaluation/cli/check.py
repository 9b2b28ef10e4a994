"""`xadbench check`: whether an explainer or a detector keeps what all must, and if not, what to fix."""

from typing import Annotated, Any

import typer

from xadbench.datasets.common.errors import printable
from xadbench.evaluation.conformance import detectors, explainers
from xadbench.evaluation.conformance.checks import Check, Finding, findings
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer

from .options import Params, parameters

FAILED = 1
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench check examples/mine.py:MyExplainer --param power=2")
def check(
    name: Annotated[str, typer.Argument(help="package.module:Name, path/to/file.py:name, or a listed name.")],
    param: Params = None,
    *,
    detector: Annotated[
        bool, typer.Option("--detector", help="Check a detector instead of an explainer.")
    ] = False,
) -> None:
    """Check an explainer or a detector against its contract, on toy data. Exit code 1: a check failed."""
    params = parameters(param or [])
    made_by, contract = (make_detector, detectors) if detector else (make_explainer, explainers)

    def make(random_state: int) -> Any:
        return made_by(name, random_state=random_state, **params)

    make(0)  # what cannot be made is wrong input, and has no fault
    n_passed = 0
    for check_, finding in findings(contract.Subject(make), contract.CHECKS):
        n_passed += finding is None
        _tell(check_, finding)
    typer.echo(f"{name}: {n_passed} of {len(contract.CHECKS)} checks passed")
    if n_passed < len(contract.CHECKS):
        raise typer.Exit(FAILED)


def _tell(check_: Check[Any], finding: Finding | None) -> None:
    if finding is None:
        typer.echo(f"ok      {check_.name}: {check_.asks}")
        return
    typer.echo(printable(f"FAILED  {check_.name}: {finding.problem}"))
    typer.echo(f"        To fix: {finding.remedy}")
