"""Packages that import a public name when it is asked for: their own import takes no time."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package; the latter shows its `__all__`.

    Parameters
    ----------
    package
        Its name.
    modules
        Of each public name the module that defines it, relative to the package; a name that is a module
        itself has its own.

    Examples
    --------
    >>> from xadbench.datasets.common.lazy_names import lazy_names
    >>> get, names = lazy_names("xadbench.datasets", {"content_hash": ".files", "files": ".files"})
    >>> get("content_hash") is get("files").content_hash
    True
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(modules[name], package)
        value = module if module.__name__ == f"{package}.{name}" else getattr(module, name)
        vars(import_module(package))[name] = value  # the next time it is there
        return value

    def names() -> list[str]:
        return sorted(vars(import_module(package))["__all__"])

    return get, names
