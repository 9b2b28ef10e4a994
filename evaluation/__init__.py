"""Judges: feeds tables to detectors and explainers, and scores who blames the right features."""

from xadbench.evaluation import metrics
from xadbench.evaluation.runner import run_suite
from xadbench.evaluation.scoring import Measures
from xadbench.evaluation.trial import score_explainer

__all__ = ["metrics", "run_suite", "score_explainer", "Measures"]
