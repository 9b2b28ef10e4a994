"""Tables whose anomalies have known culprits: simulated from a network, or injected into real rows."""

from xadbench.generator.inject import inject
from xadbench.generator.recipe import generate, load_recipe, recipe_names

__all__ = ["generate", "inject", "load_recipe", "recipe_names"]
