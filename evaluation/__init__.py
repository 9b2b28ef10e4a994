"""Judges: feeds tables to detectors and explainers, and scores who blames the right features."""

from xadbench.evaluation import metrics
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.trial.run import score_explainer
from xadbench.evaluation.trial.scopes import Measures

__all__ = ["metrics", "run_suite", "score_explainer", "Measures"]
