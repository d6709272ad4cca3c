"""The registry of recipes."""

from proactive_agent.scenarios.builder.changeit import ChangeItRecipe
from proactive_agent.scenarios.builder.coco import CocoRecipe
from proactive_agent.scenarios.builder.imagenet_c import ImageNetCRecipe
from proactive_agent.scenarios.builder.mvp_n import MvpNRecipe
from proactive_agent.scenarios.builder.quickdraw import QuickDrawRecipe
from proactive_agent.scenarios.builder.recipe import Recipe
from proactive_agent.scenarios.builder.rod import RodRecipe
from proactive_agent.scenarios.builder.vsod import VsodRecipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        RodRecipe(), VsodRecipe(), MvpNRecipe(), ImageNetCRecipe(), QuickDrawRecipe(),
        ChangeItRecipe(), CocoRecipe(),
    )
}  # fmt: skip
"""All recipes by scenario, in the paper's order."""
