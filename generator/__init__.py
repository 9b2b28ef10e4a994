"""Tables whose anomalies have known culprits: simulated from a network, or injected into real rows."""

from xadbench.generator.inject import inject
from xadbench.generator.recipe import generate, generate_blocks, load_recipe, recipe_names, with_rows
from xadbench.generator.release import load_release, release_names

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
