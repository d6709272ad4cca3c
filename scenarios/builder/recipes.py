"""The seven recipes, by scenario."""

from scenarios.builder.changeit import ChangeItRecipe
from scenarios.builder.coco import CocoRecipe
from scenarios.builder.imagenet_c import ImageNetCRecipe
from scenarios.builder.mvp_n import MvpNRecipe
from scenarios.builder.quickdraw import QuickDrawRecipe
from scenarios.builder.recipe import Recipe
from scenarios.builder.rod import RodRecipe
from scenarios.builder.vsod import VsodRecipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        RodRecipe(), VsodRecipe(), MvpNRecipe(), ImageNetCRecipe(), QuickDrawRecipe(),
        ChangeItRecipe(), CocoRecipe(),
    )
}  # fmt: skip
"""By scenario, in the paper's order."""
