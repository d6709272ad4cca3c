"""Does a multimodal model ask for help when it should? The public Python API.

    from proactive_agent import evaluate

    result = evaluate("baseline:random", scenarios="rod", limit=3)

`docs/python-api.md` shows each name. A name is loaded when it is first used, so that importing
this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proactive_agent.api import Result, aevaluate, evaluate, open_run
    from proactive_agent.metrics import Summary, summarise
    from proactive_agent.play.budget import BudgetSpentError
    from proactive_agent.play.conditions.base import Condition, Situation
    from proactive_agent.play.conditions.registry import register_condition
    from proactive_agent.play.episode import SteppedEpisode
    from proactive_agent.play.reward import RewardRule
    from proactive_agent.providers import (
        FunctionProvider,
        ImagePart,
        Provider,
        ProviderError,
        Reply,
        Request,
        StoppedError,
        TextPart,
        Usage,
        content_parts,
        register_provider,
    )
    from proactive_agent.records.episode import EpisodeRecord, TurnRecord
    from proactive_agent.records.manifest import Manifest, Settings
    from proactive_agent.runs.game import Game
    from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment, Observation
    from proactive_agent.tools import ToolCall, UserError

__all__ = [
    "SCENARIOS",
    "BudgetSpentError",
    "Condition",
    "DataFolder",
    "Environment",
    "EpisodeRecord",
    "FunctionProvider",
    "Game",
    "ImagePart",
    "Manifest",
    "Observation",
    "Provider",
    "ProviderError",
    "Reply",
    "Request",
    "Result",
    "RewardRule",
    "Settings",
    "Situation",
    "SteppedEpisode",
    "StoppedError",
    "Summary",
    "TextPart",
    "ToolCall",
    "TurnRecord",
    "Usage",
    "UserError",
    "aevaluate",
    "content_parts",
    "evaluate",
    "open_run",
    "register_condition",
    "register_provider",
    "summarise",
]

_MODULES = {
    "api": ("Result", "aevaluate", "evaluate", "open_run"),
    "metrics": ("Summary", "summarise"),
    "play.budget": ("BudgetSpentError",),
    "play.conditions.base": ("Condition", "Situation"),
    "play.conditions.registry": ("register_condition",),
    "play.episode": ("SteppedEpisode",),
    "play.reward": ("RewardRule",),
    "providers": (
        "FunctionProvider", "ImagePart", "Provider", "ProviderError", "Reply", "Request",
        "StoppedError", "TextPart", "Usage", "content_parts", "register_provider",
    ),
    "records.episode": ("EpisodeRecord", "TurnRecord"),
    "records.manifest": ("Manifest", "Settings"),
    "runs.game": ("Game",),
    "scenarios": ("SCENARIOS", "DataFolder", "Environment", "Observation"),
    "tools": ("ToolCall", "UserError"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name.startswith("__")} | {*__all__})
