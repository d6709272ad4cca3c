"""Every setting of a run, declared once.

A setting is a field of one of these dataclasses. Its annotation holds the type, the bounds and a
`Setting` (help text, heading, what uses it, how it is named in a run's label, …). The command
line, plan files, `run.json`, the labels of runs, the departures from the paper and the check for
settings without effect are all derived from these fields.

The modules here import no heavy library, so that `run --help` stays fast.
"""

from proactive_agent.settings.declaration import (
    Declared,
    Departure,
    Heading,
    Setting,
    declared,
)
from proactive_agent.settings.model import (
    DEFAULT_THINKING_ROOM,
    ApiAccess,
    ApiLimits,
    LoadSettings,
    Sampling,
)
from proactive_agent.settings.play import (
    JudgePrompt,
    ParserName,
    PlaySettings,
    ProtocolName,
    RunSettings,
)

__all__ = [
    "DEFAULT_THINKING_ROOM",
    "ApiAccess",
    "ApiLimits",
    "Declared",
    "Departure",
    "Heading",
    "JudgePrompt",
    "LoadSettings",
    "ParserName",
    "PlaySettings",
    "ProtocolName",
    "RunSettings",
    "Sampling",
    "Setting",
    "declared",
]
