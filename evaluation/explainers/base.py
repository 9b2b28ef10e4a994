"""What explainers share: a plain function as an explainer, and one row at a time."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, one_line
from xadbench.datasets.common.values import aligned
from xadbench.evaluation.components.protocols import EXPLAINER_METHODS, Detector, Explainer
from xadbench.evaluation.components.registry import SEED, Factory, factory_of, keywords

ExplainFunction = Callable[..., FloatArray]
ExplainerObject = type[Explainer] | Explainer | ExplainFunction  # what an explainer can be made from
GIVEN = ("detector", "background", "X")  # what a plain function is called with


class FunctionExplainer:
    """A plain function as an `Explainer`.

    Parameters
    ----------
    function
        Called as `function(detector, background, X, **params)`; returns the attributions (n, d).
    requires
        What the function needs of a detector.
    version
        To be raised when the function's results change.
    params
        Further parameters of the function.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation.explainers import FunctionExplainer
    >>> size = FunctionExplainer(lambda detector, background, X: np.abs(X))
    >>> size.fit(detector=None, background=np.zeros((1, 2))).explain(np.array([[-1.0, 0.5]]))
    array([[1. , 0.5]])
    """

    def __init__(
        self,
        function: ExplainFunction,
        requires: frozenset[str] = frozenset(),
        version: int = 1,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.function = function
        self.requires = requires
        self.version = version
        self.params = dict(params or {})

    def get_params(self) -> dict[str, Any]:
        """Return the function's name and parameters."""
        return {"function": name_of(self.function), **self.params}

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Keep both for the function."""
        self._detector, self._background = detector, background
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return what the function returns, as an array.

        Raises
        ------
        InputError
            If that is anything but numbers that float64 holds, or a frame with labels of its own.
        """
        attributions = self.function(self._detector, self._background, X, **self.params)
        return aligned(attributions, f"what {name_of(self.function)} returns").astype(np.float64)


def as_explainer(explainer: Explainer | ExplainFunction) -> Explainer:
    """Return an explainer as it is, and a plain function as a `FunctionExplainer`; `InputError` otherwise."""
    if isinstance(explainer, type):
        raise InputError(f"{explainer.__name__} is a class, expected an explainer made from it")
    if isinstance(explainer, Explainer):
        return explainer
    if callable(explainer) and not hasattr(explainer, "explain"):
        return FunctionExplainer(explainer)
    raise _no_explainer(type(explainer))


def _no_explainer(cls: type) -> InputError:
    lacking = [method for method in EXPLAINER_METHODS if not hasattr(cls, method)]
    return InputError(f"{cls.__name__} is not an explainer: it lacks {', '.join(lacking)}")


def explainer_factory(made_from: Any) -> Factory[Explainer]:
    """Return the factory of a class with `fit` and `explain`, or of a function of (detector, background, X).

    Both are given the seed if they have a parameter `random_state`.

    Raises
    ------
    InputError
        For any other object.
    """
    if isinstance(made_from, type):
        if not all(callable(getattr(made_from, method, None)) for method in EXPLAINER_METHODS):
            raise _no_explainer(made_from)
        return factory_of(made_from)
    if not callable(made_from) or hasattr(made_from, EXPLAINER_METHODS[1]):
        raise InputError(
            f"expected a class with fit and explain, or a function of ({', '.join(GIVEN)}), "
            f"not an object of {type(made_from).__name__}"
        )
    return _function_factory(made_from)


def object_factory(given: ExplainerObject) -> Factory[Explainer]:
    """Return the factory of a class or function, as `explainer_factory`, or of an explainer, which is copied.

    Raises
    ------
    InputError
        For any other object.
    """
    if isinstance(given, type) or not hasattr(given, "explain"):
        return explainer_factory(given)
    explainer = as_explainer(given)
    return Factory(lambda random_state: _copy(explainer), frozenset())  # noqa: ARG005  # it has its own


def _copy(explainer: Explainer) -> Explainer:
    try:
        return copy.deepcopy(explainer)
    except Exception as error:
        cls = type(explainer).__name__
        raise InputError(
            f"an object of {cls} cannot be copied for each trial ({one_line(error)}); give the class"
        ) from error


def _function_factory(function: ExplainFunction) -> Factory[Explainer]:
    names = keywords(function)

    def build(random_state: int, **params: Any) -> FunctionExplainer:
        seed = {SEED: random_state} if SEED in names else {}
        _check_call(function, params | seed)
        return FunctionExplainer(function, params=params | seed)

    return Factory(build, names - {SEED, *list(inspect.signature(function).parameters)[: len(GIVEN)]})


def _check_call(function: ExplainFunction, params: Mapping[str, Any]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*GIVEN, **params)
    except TypeError as error:
        takes = f"takes {signature}, expected ({', '.join(GIVEN)}) first"
        raise InputError(f"function {name_of(function)} {takes}: {error}") from None


def name_of(function: ExplainFunction) -> str:
    """Return what a function is called where it is defined; for a callable object, its class."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def row_by_row(function: Callable[[FloatArray], FloatArray], rows: FloatArray) -> FloatArray:
    """Apply a function to one row (d,) at a time.

    Matrix products round differently in batches of different size. One row at a time, a row's attributions
    are the same to the last bit, whatever rows come with it.
    """
    result = np.empty_like(rows)
    for i, row in enumerate(rows):
        result[i] = function(row)
    return result
