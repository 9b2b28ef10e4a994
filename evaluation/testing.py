"""The contract as a pytest class, for tests of one's own explainers and detectors. It needs pytest."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import pytest

from xadbench.evaluation.contract import CHECKS, TOLERANCE, Check, Subject, run
from xadbench.evaluation.explainers import Explainer


class ExplainerContract(ABC):
    """Tests that an explainer keeps what every explainer must; inherit, and say how to make it.

    Attributes
    ----------
    tolerance
        As `Subject` has it.
    exempt
        Names of checks that cannot hold, each with the reason: they are skipped.

    Examples
    --------
    In a file of tests::

        class TestMine(ExplainerContract):
            def make(self, random_state):
                return MyExplainer(random_state=random_state)
    """

    tolerance: ClassVar[float] = TOLERANCE
    exempt: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def make(self, random_state: int) -> Explainer:
        """Return a new explainer, not fitted."""

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_contract(self, check: Check) -> None:
        """The explainer passes the check."""
        if check.name in self.exempt:
            pytest.skip(self.exempt[check.name])
        finding = run(check, Subject(self.make, self.tolerance))
        if finding is not None:
            pytest.fail(str(finding), pytrace=False)
