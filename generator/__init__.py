"""Tables whose anomalies have known culprits: simulated from a network, or injected into real rows."""

from xadbench.generator.inject import inject
from xadbench.generator.recipe import generate, load_recipe, recipe_names
from xadbench.generator.release import load_release, release_names

__all__ = ["generate", "inject", "load_recipe", "recipe_names", "load_release", "release_names"]
