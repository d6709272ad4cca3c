"""Error records in place of lines of `episodes.jsonl` that cannot be read.

Earlier versions wrote any number that an API reported, for example 2**70 tokens. Such a line still
names its episode, so it counts as an error of that episode, and `run --resume` plays it again.
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from proactive_agent.records.episode import (
    Count,
    EpisodeRecord,
    ErrorRecord,
    OutcomeRecord,
    UsageRecord,
)
from proactive_agent.scenarios.sample import SampleId

DAMAGED = "damaged_record"
"""The kind of these errors."""

_DIGITS = 18


class _Named(BaseModel):
    """The part of a line that identifies its episode."""

    model_config = ConfigDict(extra="ignore")

    scenario: str
    sample_id: SampleId
    repeat: Count = 0
    protocol: str
    condition: str
    target: str


def damaged_record(line: bytes, problem: str) -> EpisodeRecord | None:
    """Returns an error record for a line; None if the line does not name an episode."""
    try:
        # Unlike pydantic, json accepts lone surrogates, NaN and numbers of any length.
        named = _Named.model_validate(json.loads(line, parse_int=_integer))
        named.model_dump_json()
    except (ValueError, ValidationError, RecursionError):
        return None
    return EpisodeRecord(
        **named.model_dump(),
        outcome=OutcomeRecord(correct=False, stop="error", suggestions=0, turns=0),
        answer=None,
        error=ErrorRecord(source="record", kind=DAMAGED, message=problem),
        usage=UsageRecord(),
        turns=[],
    )


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= _DIGITS else digits
