"""Does a multimodal model ask for help when it should?  The public API.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proactive_agent.metrics import Summary, summarise
    from proactive_agent.records.episode import EpisodeRecord, TurnRecord
    from proactive_agent.records.manifest import Manifest, ProviderSettings, Settings
    from proactive_agent.records.run_folder import RunFolder

_HOMES = {
    "EpisodeRecord": "records.episode",
    "Manifest": "records.manifest",
    "ProviderSettings": "records.manifest",
    "RunFolder": "records.run_folder",
    "Settings": "records.manifest",
    "Summary": "metrics",
    "TurnRecord": "records.episode",
    "summarise": "metrics",
}

__all__ = [
    "EpisodeRecord",
    "Manifest",
    "ProviderSettings",
    "RunFolder",
    "Settings",
    "Summary",
    "TurnRecord",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
