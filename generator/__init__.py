"""Tables whose anomalies have known culprits: simulated from a network, or injected into real rows."""

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
