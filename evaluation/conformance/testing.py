"""The contracts as pytest classes, for tests of one's own explainers and detectors. They need pytest."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import pytest

from xadbench.evaluation.components.protocols import Detector, Explainer

from . import detectors, explainers
from .checks import TOLERANCE, Check, run

S = TypeVar("S")


class _Contract:
    tolerance: ClassVar[float] = TOLERANCE
    exempt: ClassVar[Mapping[str, str]] = {}
    names: ClassVar[tuple[str, ...]]
    make: Callable[..., Any]

    def __init_subclass__(cls) -> None:
        """Refuse a class that pytest would pass over without a word, or an exemption from no check."""
        super().__init_subclass__()
        if cls.__name__.startswith("Test") and getattr(cls.make, "__isabstractmethod__", False):
            raise TypeError(f"{cls.__name__} has no method make(self, random_state)")
        if unknown := sorted(cls.exempt.keys() - cls.names):
            raise TypeError(
                f"{cls.__name__} is exempt from {', '.join(unknown)}; known: {', '.join(cls.names)}"
            )

    def _hold(self, check: Check[S], subject: S) -> None:
        if check.name in self.exempt:
            pytest.skip(self.exempt[check.name])
        finding = run(check, subject)
        if finding is not None:
            pytest.fail(str(finding), pytrace=False)


class ExplainerContract(_Contract, ABC):
    """Tests that an explainer keeps what every explainer must; inherit, and say how to make it.

    Attributes
    ----------
    tolerance
        The difference between the attribution of a row alone and among others that is tolerated, in units
        of the largest absolute attributions; 0 asks for the same bits.
    exempt
        Names of checks that cannot hold, each with the reason: they are skipped.

    Examples
    --------
    In a file of tests::

        class TestMine(ExplainerContract):
            def make(self, random_state):
                return MyExplainer(random_state=random_state)
    """

    names = tuple(check.name for check in explainers.CHECKS)

    @abstractmethod
    def make(self, random_state: int) -> Explainer:
        """Return a new explainer, not fitted."""

    @pytest.mark.parametrize("check", explainers.CHECKS, ids=lambda check: check.name)
    def test_contract(self, check: Check[explainers.Subject]) -> None:
        """The explainer passes the check."""
        self._hold(check, self.subject())

    def subject(self) -> explainers.Subject:
        """Return what is checked, again for each check."""
        return explainers.Subject(self.make, self.tolerance)


class DetectorContract(_Contract, ABC):
    """Tests that a detector keeps what every detector must; inherit, and say how to make it.

    Attributes
    ----------
    tolerance
        The difference between the score of a row alone and among others that is tolerated, in units of the
        largest absolute score; 0 asks for the same bits.
    exempt
        Names of checks that cannot hold, each with the reason: they are skipped.

    Examples
    --------
    In a file of tests::

        class TestMine(DetectorContract):
            def make(self, random_state):
                return MyDetector(random_state=random_state)
    """

    names = tuple(check.name for check in detectors.CHECKS)

    @abstractmethod
    def make(self, random_state: int) -> Detector:
        """Return a new detector, not fitted."""

    @pytest.mark.parametrize("check", detectors.CHECKS, ids=lambda check: check.name)
    def test_contract(self, check: Check[detectors.Subject]) -> None:
        """The detector passes the check."""
        self._hold(check, self.subject())

    def subject(self) -> detectors.Subject:
        """Return what is checked, again for each check; return the same one to share its fitted detector."""
        return detectors.Subject(self.make, self.tolerance)
