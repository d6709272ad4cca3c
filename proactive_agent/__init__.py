"""Does a multimodal model ask for help when it should?  The public API.

    settings = Settings(provider="baseline:random", scenarios=("rod", "coco"))
    summary = asyncio.run(run(prepare_run(settings, Path("results"))))

Names are loaded when they are first used, so that importing this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from proactive_agent import own_packages

own_packages.put_first()

if TYPE_CHECKING:
    from proactive_agent.manifest import Manifest, ProviderSettings, Settings
    from proactive_agent.metrics import Summary, summarise
    from proactive_agent.records import EpisodeRecord, TurnRecord
    from proactive_agent.run_folder import RunFolder
    from proactive_agent.runner import PreparedRun, prepare_resume, prepare_run, run

_HOMES = {
    "EpisodeRecord": "records",
    "Manifest": "manifest",
    "PreparedRun": "runner",
    "ProviderSettings": "manifest",
    "RunFolder": "run_folder",
    "Settings": "manifest",
    "Summary": "metrics",
    "TurnRecord": "records",
    "prepare_resume": "runner",
    "prepare_run": "runner",
    "run": "runner",
    "summarise": "metrics",
}

__all__ = [
    "EpisodeRecord",
    "Manifest",
    "PreparedRun",
    "ProviderSettings",
    "RunFolder",
    "Settings",
    "Summary",
    "TurnRecord",
    "prepare_resume",
    "prepare_run",
    "run",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
