"""Computes the metrics of a run from its episodes (`docs/protocol.md`, section "Metrics").

`summarise` returns all metrics with confidence intervals. `Tallies` keeps running metrics while a
run is played.
"""

from proactive_agent.metrics.errors import ErrorKind
from proactive_agent.metrics.measures import Tallies
from proactive_agent.metrics.played_run import PlayedRun
from proactive_agent.metrics.repeats import Consistency
from proactive_agent.metrics.served import ServedModel
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
    "ErrorKind",
    "PlayedRun",
    "Rates",
    "ScenarioSummary",
    "ServedModel",
    "Summary",
    "Tables",
    "Tallies",
    "gather",
    "summarise",
    "summarise_tables",
]
