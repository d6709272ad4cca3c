"""Reads the tokens and costs that an agent reports in the file that `--agent-usage` names.

The file holds a JSON object, or lines of which the last one with counts is read. Its fields are
those of `Usage` (`input_tokens`, `output_tokens`, `cached_tokens`, `reasoning_tokens`, `cost_usd`)
and `text`, the final answer. The names that `claude --output-format json` and `codex exec --json`
use are also read.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from proactive_agent.providers.base import ProviderError
from proactive_agent.providers.messages import Reply, Usage
from proactive_agent.providers.reply_check import checked

STANDARD_OUTPUT = "-"
"""The value of `--agent-usage` that stands for the standard output."""
LONGEST = 2**20
"""Bytes of a file that are read, from its end."""


class AgentReport(NamedTuple):
    """An agent's final answer and its usage in an episode; None if they are unknown.

    The answer is empty if the content is JSON without one.
    """

    text: str | None
    usage: Usage | None


def read_usage(content: bytes) -> AgentReport:
    """Reads the content of the file. Never raises; unreadable values are unknown."""
    text, usage = None, None
    for fields in _objects(content[-LONGEST:].decode("utf-8", "replace")):
        # A log in JSON is no answer, even if it repeats what the agent saw.
        text = _answer(fields) or text or ""
        usage = _usage(fields) or usage
    return AgentReport(text, usage)


def _answer(fields: Mapping[str, Any]) -> str:
    """Returns the final answer in an object; empty if there is none."""
    item = fields.get("item")
    if isinstance(item, dict) and item.get("type") == "agent_message":
        fields = item
    found = (fields.get(name) for name in ("text", "result"))
    return next((text for text in found if isinstance(text, str)), "")


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    for part in (text, *text.splitlines()):
        try:
            found = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _usage(fields: Mapping[str, Any]) -> Usage | None:
    inner = fields.get("usage")
    counts = {**fields, **inner} if isinstance(inner, dict) else fields
    written = counts.get("cache_creation_input_tokens")
    read = counts.get("cache_read_input_tokens")
    given: Any = counts.get("input_tokens")
    if isinstance(given, int) and isinstance(read, int):
        # Anthropic does not count the cached tokens as input.
        given = given + read + (written if isinstance(written, int) else 0)
    usage = Usage(
        input_tokens=given,
        output_tokens=counts.get("output_tokens"),
        cached_tokens=_first(
            counts, "cached_tokens", "cache_read_input_tokens", "cached_input_tokens"
        ),
        reasoning_tokens=_first(counts, "reasoning_tokens", "reasoning_output_tokens"),
        cost_usd=_first(counts, "cost_usd", "total_cost_usd"),
    )
    try:
        usage = checked(Reply(usage=usage)).usage
    except ProviderError:
        return None
    return None if usage == Usage() else usage


def _first(fields: Mapping[str, Any], *names: str) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)
