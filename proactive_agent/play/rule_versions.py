"""The version of the simulated user's rules that reads the requests of a run."""

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.judges.choose import RULES
from proactive_agent.play.simulated_user import VERSION
from proactive_agent.records.manifest import Manifest, Settings
from proactive_agent.tools import ToolsetName, UserError
from proactive_agent.tools.toolsets import WITHOUT_REQUESTS

UNRECORDED = "an older version"


def toolset_of(settings: Settings) -> ToolsetName:
    """Returns the toolset of a run, which its condition may change. Raises UserError."""
    return parse_condition(settings.condition, settings.protocol).toolset(settings.toolset)


def current_rules(settings: Settings) -> str | None:
    """Returns this program's version of the rules; None if no rules read requests in the run.

    Raises UserError for an unknown condition.
    """
    if settings.protocol != "tools" or settings.user != RULES:
        return None
    return None if toolset_of(settings) in WITHOUT_REQUESTS else VERSION


def rules_in(manifest: Manifest) -> str | None:
    """Returns the version of the rules that read the requests of a recorded run.

    `UNRECORDED` if the version that started it did not record this; None if no rules read
    requests, or if the condition is unknown here.
    """
    if manifest.user_rules:
        return manifest.user_rules
    try:
        return UNRECORDED if current_rules(manifest.settings) else None
    except UserError:  # A condition of another package that is not registered.
        return None
