"""The built-in recipes with small networks."""

from counterfeit import recipe

PERCEPTRONS = [
    name
    for name in recipe.names()
    if (spec := recipe.load(name)).generator.name == "mlp" and spec.penalties == recipe.Penalties()
]
"""Recipes of perceptrons without penalties, which the fast engine knows."""


def shrunk(spec: str | recipe.Recipe, units: int = 8) -> list[str]:
    """Overrides that make a recipe's networks so small that an update takes milliseconds."""
    spec = recipe.load(spec)
    return [
        f"{player}.hidden={[units] * len(section.hidden)}"
        if section.name == "mlp"
        else f"{player}.channels={units}"
        for player, section in (
            ("generator", spec.generator),
            ("discriminator", spec.discriminator),
        )
    ]
