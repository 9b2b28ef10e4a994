"""Tables whose anomalies have known ground truth: simulated from a network, or injected into real rows."""

from typing import TYPE_CHECKING

from xadbench.datasets.common.lazy_names import lazy_names

if TYPE_CHECKING:
    from .generation import generate, generate_blocks
    from .injection.inject import inject
    from .recipe import load_recipe, recipe_names, with_rows
    from .releases.spec import load_release, release_names

__all__ = [
    "generate",
    "generate_blocks",
    "inject",
    "load_recipe",
    "recipe_names",
    "with_rows",
    "load_release",
    "release_names",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("generate", "generate_blocks"), ".generation"),
        "inject": ".injection.inject",
        **dict.fromkeys(("load_recipe", "recipe_names", "with_rows"), ".recipe"),
        **dict.fromkeys(("load_release", "release_names"), ".releases.spec"),
    },
)
