"""Audit the families of recipes at 10, 30 and 100 features: a row of CSV a recipe and seed, as they come."""

import sys

import pandas as pd

from xadbench.evaluation.audit.recipes import audit
from xadbench.evaluation.leaks.controls import leak_controls, leaks
from xadbench.generator import generate, load_recipe

FAMILIES = ("nonlinear", "interaction", "clusters", "noisy", "contextual")
SIZES = (10, 30, 100)


def main(names: list[str]) -> None:
    """Audit the recipes of these names, or all of the families, at their seeds."""
    header = True
    for name in names or [f"{family}-d{size}" for size in SIZES for family in FAMILIES]:
        recipe = load_recipe(name)
        for seed in recipe.seeds:
            overall = audit(recipe, seed).iloc[[-1]].drop(columns="kind")
            n_leaks = len(leaks(leak_controls(generate(recipe, seed), seed)))
            row = pd.concat(
                [pd.DataFrame({"recipe": [name], "seed": seed}), overall.reset_index(drop=True)], axis=1
            ).assign(leaks=n_leaks)
            row.to_csv(sys.stdout, index=False, header=header, float_format="%.3f")
            sys.stdout.flush()
            header = False


if __name__ == "__main__":
    main(sys.argv[1:])
