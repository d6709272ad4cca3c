"""`anthropic:MODEL`: Anthropic's Messages API. `MODEL@http://host:port` names another server."""

import importlib.metadata
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from proactive_agent.providers.api.batch.anthropic_batches import AnthropicBatches
from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError, from_sdk, reported
from proactive_agent.providers.api.keys import key_for
from proactive_agent.providers.api.parsed_reply import ParsedReply
from proactive_agent.providers.api.prices import Tokens
from proactive_agent.providers.api.provider import ApiProvider
from proactive_agent.providers.api.server import ApiTarget, Posts, http_timeout
from proactive_agent.providers.api.thinking import LEAST_BUDGET
from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.messages import (
    AssistantMessage,
    Message,
    Part,
    Request,
    TextPart,
    ToolMessage,
)
from proactive_agent.settings import Sampling
from proactive_agent.tools import ToolCall, UserError
from proactive_agent.tools.render import for_anthropic

ADDRESS = "https://api.anthropic.com"
EFFORTS = (None, "none", "low", "medium", "high", "xhigh", "max")
"""Values of `--reasoning`. `none` switches the thinking of a model off that thinks by itself."""
EPHEMERAL = {"type": "ephemeral"}
_THINKING = ("thinking", "redacted_thinking")


class Anthropic(ApiProvider):
    """Adapter for the Messages API.

    Pictures stay inside tool results. Thinking blocks are sent back with the turn that they belong
    to.
    """

    name = "anthropic"
    library = "anthropic"
    has_batch_api: ClassVar[bool] = True
    may_be_left_out: ClassVar[Mapping[str, str]] = {
        "temperature": r"\btemperature\b",
        "disable_parallel_tool_use": r"\bdisable_parallel_tool_use\b",
        # A model that takes no effort takes a budget.
        "adaptive": r"\badaptive\b",
    }

    def __init__(self, target: ApiTarget, options: ProviderOptions) -> None:
        import anthropic

        super().__init__(target, options)
        if options.reasoning not in EFFORTS:
            expected = ", ".join(filter(None, EFFORTS))
            raise UserError(
                f"{self.spec}: --reasoning {options.reasoning} does not exist at Anthropic; "
                f"expected one of {expected}"
            )
        # aiohttp takes half the processor time of the SDK's default client.
        timeout = http_timeout(options.access.timeout, self.connect_seconds)
        http = anthropic.DefaultAioHttpClient(timeout=timeout)
        self._client = anthropic.AsyncAnthropic(
            api_key=key_for(self.name, target),
            base_url=self.address,
            max_retries=0,
            timeout=timeout,
            default_headers=self.headers,
            http_client=http,
        )
        self._post = Posts(self._client, http, "/v1/messages")
        if options.access.batch_api:
            self.batches = AnthropicBatches(self._client, self.spec, self.address, options.access)

    @property
    def address(self) -> str:
        # The SDK adds /v1 itself.
        return (self.target.base_url or ADDRESS).removesuffix("/v1")

    def body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        messages = _messages(request.messages, pictures)
        body: dict[str, Any] = {
            "model": self.target.model,
            "max_tokens": self.limit(request.sampling),
            "messages": messages,
        }
        if request.system:
            body["system"] = request.system
        body |= self._thinking(request.sampling)
        # A model that thinks accepts only its default temperature.
        if self.options.reasoning in (None, "none") and self.sends("temperature"):
            body["temperature"] = request.sampling.temperature
        if request.tools:
            body["tools"] = for_anthropic(request.tools)
            body["tool_choice"] = {"type": "auto"}
            if self.sends("disable_parallel_tool_use"):
                body["tool_choice"]["disable_parallel_tool_use"] = True
            # With tools, the next request begins with this conversation, so caching it pays off.
            body["tools"][-1]["cache_control"] = EPHEMERAL
            messages[-1]["content"][-1]["cache_control"] = EPHEMERAL
        return body

    def room(self, sampling: Sampling) -> int:
        room = super().room(sampling)
        return max(room, LEAST_BUDGET) if self._has_budget else room

    @property
    def _has_budget(self) -> bool:
        adaptive = self.thinker.adaptive and self.sends("adaptive")
        return self.options.reasoning not in (None, "none") and not adaptive

    def _thinking(self, sampling: Sampling) -> dict[str, Any]:
        effort = self.options.reasoning
        if effort is None:
            return {}
        if effort == "none":
            return {} if self.thinker.unasked is False else {"thinking": {"type": "disabled"}}
        if self._has_budget:
            return {"thinking": {"type": "enabled", "budget_tokens": self.room(sampling)}}
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._post(body)

    def fault(self, error: Exception) -> ApiError:
        return from_sdk(error)

    def read(self, raw: dict[str, Any]) -> ParsedReply:
        if fault := reported(raw):
            raise fault
        reason = raw["stop_reason"]
        if reason == "refusal":
            raise ApiError("content_filter", "the API's filter stopped the reply")
        blocks: list[dict[str, Any]] = raw["content"]
        text = "".join(block["text"] for block in blocks if block["type"] == "text")
        called = [block for block in blocks if block["type"] == "tool_use"]
        return ParsedReply(
            text=text,
            tool_calls=tuple(map(_read_call, called)),
            finish_reason=reason,
            tokens=_tokens(raw.get("usage") or {}),
            opaque=blocks if any(block["type"] in _THINKING for block in blocks) else None,
        )

    def versions(self) -> dict[str, str]:
        return {"anthropic": importlib.metadata.version("anthropic")}

    async def close(self) -> None:
        await super().close()
        await self._client.close()


def _messages(messages: Iterable[Message], pictures: Pictures) -> list[dict[str, Any]]:
    """Alternating messages; consecutive messages of one role are joined."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if isinstance(message, AssistantMessage) else "user"
        blocks = _blocks(message, pictures)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message, pictures: Pictures) -> list[dict[str, Any]]:
    if isinstance(message, AssistantMessage):
        return _replied(message)
    content = _parts(message.content, pictures)
    if isinstance(message, ToolMessage):
        return [{"type": "tool_result", "tool_use_id": message.call.id, "content": content}]
    if not content:
        raise ApiError("bad_request", "the API does not accept an empty user message")
    return content


def _replied(message: AssistantMessage) -> list[dict[str, Any]]:
    if isinstance(message.opaque, list):
        # Thinking blocks must return unchanged and in front of the blocks that followed them.
        return [dict(block) for block in message.opaque]
    blocks: list[dict[str, Any]] = []
    if message.text.strip():
        blocks.append({"type": "text", "text": message.text})
    for call in message.tool_calls:
        fields = {"id": call.id, "name": call.name, "input": _arguments(call)}
        blocks.append({"type": "tool_use", **fields})
    if not blocks:
        raise ApiError("bad_request", "the API does not accept an empty reply in the history")
    return blocks


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ApiError(
            "bad_request",
            f"an earlier call of {call.name} has arguments that are not a JSON object; "
            "the API does not accept it in the history",
        )
    return value


def _parts(content: Sequence[Part], pictures: Pictures) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in content:
        if isinstance(part, TextPart):
            if part.text.strip():  # The API rejects empty texts.
                blocks.append({"type": "text", "text": part.text})
            continue
        picture = pictures[part.key]
        source = {
            "type": "base64",
            "media_type": picture.sent.media_type,
            "data": picture.base64,
        }
        blocks.append({"type": "image", "source": source})
    return blocks


def _read_call(block: dict[str, Any]) -> ToolCall:
    given = block["input"]
    return ToolCall(
        block["name"], given if isinstance(given, str) else json.dumps(given), block["id"]
    )


def _tokens(usage: dict[str, Any]) -> Tokens:
    fresh = usage.get("input_tokens")
    cached = usage.get("cache_read_input_tokens")
    written = usage.get("cache_creation_input_tokens")
    return Tokens(
        input=None if fresh is None else fresh + (cached or 0) + (written or 0),
        output=usage.get("output_tokens"),
        cached=cached,
        cache_written=written,
        reasoning=(usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    )
