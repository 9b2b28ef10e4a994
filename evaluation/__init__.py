"""Judges: feeds tables to detectors and explainers, and scores who blames the right features."""

from . import metrics
from .runs.runner import run_suite
from .trial.run import score_explainer
from .trial.scopes import Measures

__all__ = ["metrics", "run_suite", "score_explainer", "Measures"]
