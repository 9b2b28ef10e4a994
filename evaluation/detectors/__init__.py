"""Detectors: those that a suite can name, PyOD's among them."""

from .catalogue import (
    DETECTORS,
    KIND,
    METHODS,
    Detector,
    VersionedDetector,
    detector_factory,
    make_detector,
)

__all__ = [
    "DETECTORS",
    "KIND",
    "METHODS",
    "Detector",
    "VersionedDetector",
    "detector_factory",
    "make_detector",
]
