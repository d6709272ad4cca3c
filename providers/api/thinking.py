"""Thinking of models: which ones think, how to request it, and the tokens reserved for it.

`--max-tokens` limits the answer. Thinking has a limit of its own, which is added to it: APIs count
both against one limit. Facts about models come from litellm's price list. A model that is not in
the list is taken to think if it does so in its probe.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from proactive_agent.providers.api.prices import listed
from proactive_agent.providers.api.server import parse_target
from proactive_agent.settings import DEFAULT_THINKING_ROOM, Sampling

LEAST_BUDGET = 1024
"""Smallest budget that Anthropic accepts, in tokens."""
TYPICAL = 1024
"""Tokens of thought per reply that an estimate assumes."""
_ROOM = {"minimal": 2048, "low": 4096, "high": 16384, "xhigh": 24576, "max": 24576}
"""Room for thinking by effort, in tokens, where it is not the default."""

_OPENAI = re.compile(r"(o\d|gpt-[5-9]|codex)(?!.*chat)")
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_ADAPTIVE_SINCE = (4, 6)
_THINKS_SINCE = (5, 0)


class Thinker(NamedTuple):
    """The thinking of a model."""

    unasked: bool | None
    """Whether the model thinks if the request does not mention it; None if that is unknown."""
    adaptive: bool
    """Whether a model of Anthropic takes an effort. Otherwise it takes a budget in tokens."""
    longest: int | None
    """The most tokens that the model can write, thinking included; None if that is unknown."""

    def thinks(self, effort: str | None) -> bool | None:
        """Whether the model thinks at this `--reasoning`; None if that is unknown."""
        return self.unasked if effort is None else effort != "none"

    def room(self, sampling: Sampling, effort: str | None, *, thinks: bool | None) -> int:
        """Tokens for thinking that are added to the limit of a reply."""
        if sampling.thinking_tokens is not None:
            return sampling.thinking_tokens
        if not thinks:
            return 0
        room = _ROOM.get(effort or "", DEFAULT_THINKING_ROOM)
        if self.longest is not None:
            room = min(room, max(0, self.longest - sampling.max_tokens))
        return room


def thinker(name: str, model: str, *, own_server: bool) -> Thinker:
    """Looks up a model of the provider `name`. `own_server`: it is not at its company's API."""
    keys = (model, f"openrouter/{model}") if own_server else None
    facts = listed(name, model, keys) or {}
    claude = _claude(model)
    adaptive = bool(facts.get("supports_adaptive_thinking"))
    if not facts:
        adaptive = claude is None or claude >= _ADAPTIVE_SINCE
    longest = facts.get("max_output_tokens")
    return Thinker(
        unasked=_thinks_unasked(name, model, facts, claude, own_server=own_server),
        adaptive=adaptive,
        longest=longest if isinstance(longest, int) else None,
    )


def planned_room(spec: str, sampling: Sampling, effort: str | None) -> int | None:
    """The room for thinking of `NAME:MODEL`, before it is asked; None if that is unknown."""
    name, _, rest = spec.partition(":")
    target = parse_target(rest)
    found = thinker(name, target.model, own_server=target.base_url is not None)
    thinks = found.thinks(effort)
    if thinks is None and sampling.thinking_tokens is None:
        return None
    return found.room(sampling, effort, thinks=thinks)


def is_reasoning_model(model: str) -> bool:
    """Whether a model at OpenAI's own API is a reasoning model."""
    return bool(_OPENAI.match(model.split(":")[0]))


def is_claude(model: str) -> bool:
    """Whether a model is one of Anthropic's, behind any API."""
    return "claude" in model.casefold()


def _thinks_unasked(
    name: str,
    model: str,
    facts: Mapping[str, Any],
    claude: tuple[int, int] | None,
    *,
    own_server: bool,
) -> bool | None:
    if is_claude(model):
        if facts:
            return bool(facts.get("thinking_always_on") or facts.get("thinking_on_by_default"))
        return None if claude is None or claude >= _THINKS_SINCE else False
    if name == "openai" and not own_server:
        # Some reasoning models do not think unless they are asked to.
        return is_reasoning_model(model) and facts.get("default_reasoning_effort") != "none"
    if not facts:
        return None
    reasons = bool(facts.get("supports_reasoning"))
    return reasons and facts.get("default_reasoning_effort") != "none"


def _claude(model: str) -> tuple[int, int] | None:
    """The version in the name of a Claude model: `claude-opus-4-1-20250805` is 4.1."""
    found = _CLAUDE.search(model.casefold())
    return (int(found[1]), int(found[2] or 0)) if found else None
