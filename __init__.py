"""XADBench: tables of anomalies with known ground truth, and an evaluation harness for anomaly explainers."""

from typing import TYPE_CHECKING, Any

# Absolute, since pytest imports this file by the name of its folder, which in a fork may be no Python name.
from xadbench.datasets.common.lazy_names import lazy_names

if TYPE_CHECKING:
    from .evaluation import compare, leaderboard, plot, run_suite, score_explainer
    from .evaluation.report import report
    from .generator import generate, inject, load_recipe

    __version__: str

__all__ = [
    "__version__",
    "generate",
    "inject",
    "load_recipe",
    "score_explainer",
    "run_suite",
    "leaderboard",
    "compare",
    "report",
    "plot",
]

_get, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("generate", "inject", "load_recipe"), ".generator"),
        **dict.fromkeys(("score_explainer", "run_suite", "leaderboard", "compare"), ".evaluation"),
        **dict.fromkeys(("report", "plot"), ".evaluation.report"),
    },
)


def __getattr__(name: str) -> Any:
    if name != "__version__":
        return _get(name)
    from importlib.metadata import version  # noqa: PLC0415  # reads files, and takes as long as all else here

    globals()[name] = version(__name__)
    return globals()[name]
