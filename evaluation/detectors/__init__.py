"""Detectors: those that a suite can name, PyOD's among them."""

from xadbench.evaluation.components.protocols import Detector, VersionedDetector

from .catalogue import DETECTORS, KIND, detector_factory, make_detector

__all__ = [
    "DETECTORS",
    "KIND",
    "Detector",
    "VersionedDetector",
    "detector_factory",
    "make_detector",
]
