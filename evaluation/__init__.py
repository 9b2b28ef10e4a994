"""Evaluates: feeds tables to detectors and explainers, and scores who names the right features."""

from typing import TYPE_CHECKING

from xadbench.datasets.common.lazy_names import lazy_names

if TYPE_CHECKING:
    from . import metrics
    from .regression.compare import compare
    from .report import plot
    from .results.leaderboard import leaderboard
    from .runs.runner import run_suite
    from .trial.run import score_explainer
    from .trial.scopes import Measures

__all__ = ["metrics", "run_suite", "score_explainer", "Measures", "leaderboard", "compare", "plot"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "compare": ".regression",
        "leaderboard": ".results.leaderboard",
        "metrics": ".metrics",
        "plot": ".report",
        "run_suite": ".runs.runner",
        "score_explainer": ".trial.run",
        "Measures": ".trial.scopes",
    },
)
