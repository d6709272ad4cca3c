"""What a run's episodes amount to (`protocol.md` section 4).

`summarise` gives everything with confidence intervals, `Tallies` what is shown while a run plays.
"""

from proactive_agent.metrics.played_run import PlayedRun
from proactive_agent.metrics.repeats import Consistency
from proactive_agent.metrics.running import Tallies
from proactive_agent.metrics.summary import (
    Actions,
    Rates,
    ScenarioSummary,
    Summary,
    summarise,
    summarise_tables,
)
from proactive_agent.metrics.table import Tables, gather

__all__ = [
    "Actions",
    "Consistency",
    "PlayedRun",
    "Rates",
    "ScenarioSummary",
    "Summary",
    "Tables",
    "Tallies",
    "gather",
    "summarise",
    "summarise_tables",
]
