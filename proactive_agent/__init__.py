"""Does a multimodal model ask for help when it should?  The public API.

    settings = Settings(provider="baseline:random", scenarios=("rod", "coco"))
    summary = asyncio.run(run(prepare_run(settings, Path("results"))))

Names are loaded when they are first used, so that importing this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proactive_agent.metrics import Summary, summarise
    from proactive_agent.records.episode import EpisodeRecord, TurnRecord
    from proactive_agent.records.manifest import Manifest, ProviderSettings, Settings
    from proactive_agent.records.run_folder import RunFolder
    from proactive_agent.runs.runner import PreparedRun, prepare_resume, prepare_run, run

_HOMES = {
    "EpisodeRecord": "records.episode",
    "Manifest": "records.manifest",
    "PreparedRun": "runs.runner",
    "ProviderSettings": "records.manifest",
    "RunFolder": "records.run_folder",
    "Settings": "records.manifest",
    "Summary": "metrics",
    "TurnRecord": "records.episode",
    "prepare_resume": "runs.runner",
    "prepare_run": "runs.runner",
    "run": "runs.runner",
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
