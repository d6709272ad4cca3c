"""Thinking of models: which ones think, how to request it, and the tokens reserved for it.

`--max-tokens` limits the answer. The *thinking room* is a number of tokens that is added to it,
because APIs count thinking and answer against one limit. Facts about models come from litellm's
price list. A model that is not in the list gets thinking room as well, because unused tokens cost
nothing. Its replies show whether it thinks.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from proactive_agent.providers.api.faults import ApiError
from proactive_agent.providers.api.prices import listed
from proactive_agent.providers.api.server import parse_target
from proactive_agent.providers.messages import Reply
from proactive_agent.settings import DEFAULT_THINKING_ROOM, Sampling

LEAST_BUDGET = 1024
"""Smallest budget that Anthropic accepts, in tokens."""
TYPICAL = 1024
"""Tokens of thought per reply that an estimate assumes."""
_ROOM = {"minimal": 2048, "low": 4096, "high": 16384, "xhigh": 24576, "max": 24576}
"""Thinking room by effort, in tokens, where it is not the default."""

_LEAST_ROOM = 256
"""Least useful thinking room, in tokens. If less fits, the request has no thinking room."""
_MARKUP = 128
"""Most tokens around calls and at the end of a reply that are neither answer nor thinking."""
_MOST_WRITTEN = re.compile(
    r"at most (\d+) (?:completion|output) tokens|> (\d+) which is the maximum"
    r"|less than or equal to `?(\d+)|range[^.]{0,40}\[\d+ ?(\d+)\]",
    re.IGNORECASE,
)
"""OpenAI, Anthropic, Groq and DeepSeek. The text is searched without its commas."""
_CONTEXT = re.compile(
    r"maximum context length (?:is|of) (\d+)|context limit: \d+ \+ \d+ > (\d+)"
    r"|context (?:window|length|size) (?:is|of|\() ?(\d+)|tokens > (\d+) maximum"
    r"|(\d+) maximum context length",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"(\d+) (?:tokens )?(?:in|from) the (?:messages|input|prompt)|request has (\d+) input"
    r"|(?<!at least )\b(\d+) input tokens|context limit: (\d+) \+"
    r"|prompt is too long: (\d+)|prompt contains (\d+) tokens|(\d+) of text input",
    re.IGNORECASE,
)

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
        if thinks is False:
            return 0
        room = _ROOM.get(effort or "", DEFAULT_THINKING_ROOM)
        if self.longest is not None:
            room = min(room, max(0, self.longest - sampling.max_tokens))
        return room


class ThinkingRoom:
    """Thinking room of each request to a model. It learns from replies and refusals.

    `--thinking-tokens` sets a fixed thinking room.
    """

    def __init__(self, thinker: Thinker, effort: str | None) -> None:
        self.thinks = thinker.thinks(effort)
        """Whether the model thinks; None if that is not known yet."""
        self._thinker = thinker
        self._effort = effort
        self._fits: dict[int, int] = {}
        """The thinking room that fits, by the estimated length of a prompt for which the default
        did not fit. Longer prompts leave at most as much."""

    def room(self, sampling: Sampling, prompt: int | None = None) -> int:
        """The thinking room of a request whose prompt has about `prompt` tokens."""
        room = self._thinker.room(sampling, self._effort, thinks=self.thinks)
        if sampling.thinking_tokens is not None or prompt is None:
            return room
        return min([room, *(fits for length, fits in self._fits.items() if length <= prompt)])

    def after_reply(self, reply: Reply, sampling: Sampling, prompt: int, room: int) -> int:
        """Learns from a reply. Returns the thinking room that the request should have had."""
        thought = _shows_thinking(reply)
        # Without a thought, the thinking room must not extend the limit of the answer.
        too_long = not thought and _most_answer(reply) > sampling.max_tokens
        if thought:
            self.thinks = True
        elif too_long and self.thinks is None:
            self.thinks = False
        if sampling.thinking_tokens is not None:
            return room
        if thought and reply.cut_off:
            return max(room, self.room(sampling, prompt))
        return 0 if too_long else room

    def after_refusal(self, fault: ApiError, sampling: Sampling, prompt: int, room: int) -> int:
        """Returns a smaller thinking room if a request was refused because its limit is too high.

        Returns the same thinking room after any other refusal.
        """
        message = str(fault)
        refused = fault.kind == "context_overflow" or (
            fault.kind == "bad_request"
            and re.search(r"max_?\w*tokens", message, re.IGNORECASE)
            # Such a message refuses the field with any value.
            and not re.search(r"unsupported|not supported", message, re.IGNORECASE)
        )
        if not refused or not room or sampling.thinking_tokens is not None:
            return room
        most = _largest_limit(message, prompt)
        fits = room // 2 if most is None else max(0, most - sampling.max_tokens)
        if fits >= room:
            fits = room // 2
        self._fits[prompt] = fits if fits >= _LEAST_ROOM else 0
        return self._fits[prompt]


def _shows_thinking(reply: Reply) -> bool:
    """Whether a reply contains thinking, or tokens that are not part of the answer."""
    usage = reply.usage
    if usage.reasoning_tokens or reply.opaque:
        return True
    if reply.cut_off and not reply.text and not reply.tool_calls:
        return True
    return (usage.output_tokens or 0) > _written(reply) + _MARKUP


def _most_answer(reply: Reply) -> int:
    """An upper bound of the tokens of the answer; each token has at least one byte."""
    usage = reply.usage
    if usage.output_tokens is None:
        return _written(reply)
    return min(usage.output_tokens - (usage.reasoning_tokens or 0), _written(reply))


def _written(reply: Reply) -> int:
    """Bytes of the text and the calls of a reply."""
    texts = [reply.text]
    for call in reply.tool_calls:
        texts += [call.name, call.arguments]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _largest_limit(message: str, prompt: int) -> int | None:
    """The highest limit of a reply that an error message allows, or None if it names none.

    `prompt` is the estimated length of the prompt, for messages that do not say it.
    """
    message = message.replace(",", "")
    if found := _MOST_WRITTEN.search(message):
        return next(int(number) for number in found.groups() if number)
    if not (context := _CONTEXT.search(message)):
        return None
    given = _GIVEN.search(message)
    length = next((int(number) for number in given.groups() if number), prompt) if given else prompt
    return next(int(number) for number in context.groups() if number) - length


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
    """The thinking room of `NAME:MODEL`, before it is asked; None if that is unknown."""
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
