"""XADBench: tables whose anomalies have known culprits, and a judge for anomaly explainers."""

from importlib.metadata import version

__version__ = version("xadbench")
__all__ = ["__version__"]
