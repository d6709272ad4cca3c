"""Settings of `train` for models that its defaults do not fit.

The defaults are the paper's. They were chosen for models with billions of parameters.
"""

from collections.abc import Mapping
from typing import Any

_LINEAR_LAYERS = tuple(f"{name}_proj" for name in ("q", "k", "v", "o", "gate", "up", "down"))
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "nano": {
        "scenarios": ("quickdraw", "rod"),
        "max_steps": 40,
        "batch_size": 256,
        "device_batch_size": 256,
        "learning_rate": 3e-3,
        "lr_warm_up_steps": 5,
        "lora_rank": 32,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        "lora_targets": _LINEAR_LAYERS,
        "beta": 0.04,
        "max_tokens": 24,
        "held_out": 0,
        "device": "cpu",
    }
}
"""Settings by the short name of a model. `docs/training.md` reports the results."""


def recipe_for(model: str) -> Mapping[str, Any]:
    """Returns the settings for a model; none for most models."""
    return RECIPES.get(model.lower(), {})
