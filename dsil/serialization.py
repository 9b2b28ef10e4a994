"""Fitted detectors on disk: a folder with one file of arrays and one JSON file, and nothing that runs."""

import json
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from xadbench.datasets.common.errors import InputError, find
from xadbench.datasets.common.json_files import read_json
from xadbench.datasets.common.paths import inside
from xadbench.datasets.files import new_folder

if TYPE_CHECKING:
    from .detectors.base import Detector

FORMAT = 1
ARRAYS, HEADER = "arrays.safetensors", "detector.json"

Arrays = dict[str, NDArray[Any]]
_CLASSES: dict[str, Callable[..., Any]] = {}  # all that may be saved, and so be read


def allow(*classes: Callable[..., Any]) -> None:
    """Let objects of these classes be saved and read; the package does so for its own, and nobody's else."""
    _CLASSES.update({one.__name__: one for one in classes})


def save(detector: "Detector", folder: str | os.PathLike[str]) -> Path:
    """Write a fitted detector as a new folder; it appears whole or not at all.

    Raises
    ------
    InputError
        If `folder` exists already, or the detector holds something that cannot be saved.
    """
    arrays: Arrays = {}
    described = _encode(detector, type(detector).__name__, arrays)
    header = {"format": FORMAT, "xadbench": version("xadbench"), "detector": described}
    with new_folder(Path(folder)) as draft:
        save_file(arrays, draft / ARRAYS)
        (draft / HEADER).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
    return Path(folder)


def load(folder: str | os.PathLike[str]) -> "Detector":
    """Read a detector that `Detector.save` wrote: its scores are the same to the last bit.

    Raises
    ------
    InputError
        If a file is missing, truncated or of another format, an array is missing, or the detector's class is
        unknown here or of another version.
    """
    source = Path(folder)
    header, arrays = _read_header(inside(source, HEADER)), _read_arrays(inside(source, ARRAYS))
    try:
        detector: Detector = _decode_object(header["detector"], arrays)
        detector.threshold_  # noqa: B018  # it is fitted
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{source}: not a whole detector: {' '.join(repr(error).split())}") from None
    return detector


def _read_header(path: Path) -> dict[str, Any]:
    header = read_json(path, "a detector saved by XADBench")
    if header.get("format") != FORMAT:
        raise InputError(f"{path}: not a detector of format {FORMAT}")
    return header


def _read_arrays(path: Path) -> Arrays:
    try:
        arrays: Arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    return arrays


def _encode(value: Any, path: str, arrays: Arrays) -> Any:
    """Return `value` as JSON, its arrays put into `arrays` under their path."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if type(value).__name__ in _CLASSES:
        return _encode_object(value, path, arrays)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[path] = np.asarray(value, order="C")
        return {"array": path}
    for kind, (type_, parts, _) in CONTAINERS.items():
        if isinstance(value, type_):
            return {kind: {str(key): _encode(part, f"{path}.{key}", arrays) for key, part in parts(value)}}
    raise InputError(f"{path} is of {type(value).__name__}, which cannot be saved")


def _encode_object(value: Any, path: str, arrays: Arrays) -> dict[str, Any]:
    parameters = _parameters(value)
    fitted = value._state() if hasattr(value, "threshold_") else {}  # noqa: SLF001  # a fitted detector's
    return {
        "class": type(value).__name__,
        "version": getattr(value, "version", None),
        "parameters": {name: _encode(part, f"{path}.{name}", arrays) for name, part in parameters.items()},
        "fitted": {name: _encode(part, f"{path}.{name}", arrays) for name, part in fitted.items()},
    }


def _parameters(value: Any) -> dict[str, Any]:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    parameters: dict[str, Any] = value.get_params(deep=False)
    return parameters


def _decode(node: Any, arrays: Arrays) -> Any:
    """Return what `_encode` made `node` of."""
    if not isinstance(node, dict):
        return node
    if "class" in node:
        return _decode_object(node, arrays)
    ((kind, content),) = node.items()
    if kind == "array":
        return find("array", content, arrays)
    _, _, build = CONTAINERS[kind]
    return build({key: _decode(part, arrays) for key, part in content.items()})


def _decode_object(node: dict[str, Any], arrays: Arrays) -> Any:
    class_ = find("class", node["class"], _CLASSES)
    if (present := getattr(class_, "version", None)) != node["version"]:
        raise InputError(f"saved by version {node['version']} of {node['class']}, here it is {present}")
    value = class_(**{name: _decode(part, arrays) for name, part in node["parameters"].items()})
    fitted = {name: _decode(part, arrays) for name, part in node["fitted"].items()}
    if fitted:
        value._restore(fitted)  # noqa: SLF001  # the other half of `_state`
    return value


Parts = Callable[[Any], Any]
CONTAINERS: dict[str, tuple[type, Parts, Parts]] = {
    "dict": (dict, dict.items, dict),
    "list": (list, enumerate, lambda parts: list(parts.values())),
    "tuple": (tuple, enumerate, lambda parts: tuple(parts.values())),
    "objects": (np.ndarray, enumerate, lambda parts: np.array(list(parts.values()), dtype=object)),
    "frame": (pd.DataFrame, lambda frame: ((name, frame[name].to_numpy()) for name in frame), pd.DataFrame),
}
