"""`litellm:PROVIDER/MODEL`: APIs supported by litellm. `…@http://host:port` names a server."""

import asyncio
import importlib.metadata
import json
import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from proactive_agent.providers.api.chat_messages import chat_messages, read_chat
from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError, from_sdk, reported
from proactive_agent.providers.api.keys import environment, find_key
from proactive_agent.providers.api.parsed_reply import ParsedReply
from proactive_agent.providers.api.provider import REFUSED_LIMIT, ApiProvider
from proactive_agent.providers.api.server import OWN_SERVER_KEY, ApiTarget
from proactive_agent.providers.api.thinking import LEAST_BUDGET, is_claude
from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.messages import Request
from proactive_agent.settings import Sampling
from proactive_agent.tools import UserError
from proactive_agent.tools.render import for_openai

EPHEMERAL = {"type": "ephemeral"}


def _import() -> Any:
    # Without this variable, litellm downloads its price list when it is imported.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    # Raised by litellm's imports during its first request.
    warnings.filterwarnings("ignore", r"Items? .* on TypedDict class", UserWarning)
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    return litellm


class LiteLLM(ApiProvider):
    """Adapter for litellm, which translates Chat Completions to other APIs."""

    name = "litellm"
    library = "litellm"
    may_be_left_out: ClassVar[Mapping[str, str]] = {
        "max_tokens": REFUSED_LIMIT,
        "seed": r"\bseed\b",
        **ApiProvider.may_be_left_out,
    }

    def __init__(self, target: ApiTarget, options: ProviderOptions) -> None:
        super().__init__(target, options)
        self._litellm = _import()
        self._has_answered = False
        # litellm reads keys only from the environment, not from .env.
        for name, value in environment().items():
            os.environ.setdefault(name, value)
        self._api_key = find_key(OWN_SERVER_KEY) or "none" if target.base_url else None
        try:
            _, self._company, _, _ = self._litellm.get_llm_provider(
                target.model, api_base=target.base_url
            )
        except Exception as error:
            first = str(error).splitlines()[0]
            raise UserError(f"litellm:{target.model}: {first}") from None
        from litellm.types.utils import all_litellm_params

        if self._company == "anthropic" and (taken := {*self.extra_body} & {*all_litellm_params}):
            raise UserError(
                f"{self.spec}: litellm does not pass on the field {min(taken)!r} of --extra-body; "
                f"use anthropic:MODEL"
            )
        self._check_effort()
        supported = self._litellm.get_supported_openai_params(target.model, self._company)
        if supported is not None:
            # These are never missing: thoughts are in the messages, and limits have two names.
            fields = {*self.may_be_left_out} - {"reasoning", "max_tokens"}
            self.left_out |= fields - {*supported}

    def _check_effort(self) -> None:
        """Raises UserError if litellm would send another effort than the chosen one."""
        own_budget = is_claude(self.target.model) and not self.thinker.adaptive
        if self.options.reasoning != "minimal" or own_budget:
            return
        try:
            minimal, low = (
                self._litellm.utils.get_optional_params(
                    model=self.target.model.partition("/")[2],
                    custom_llm_provider=self._company,
                    reasoning_effort=effort,
                )
                for effort in ("minimal", "low")
            )
        except Exception:  # The API refuses the field, which the probe shows.
            return
        if minimal == low:
            raise UserError(
                f"{self.spec}: litellm sends `low` for --reasoning minimal to this model; "
                "use --reasoning low"
            )

    def body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        messages = chat_messages(
            request,
            pictures,
            thoughts=self.sends("reasoning"),
            detail=self.options.image_detail,
        )
        limit = "max_tokens" if self.sends("max_tokens") else "max_completion_tokens"
        body: dict[str, Any] = {
            "model": self.target.model,
            "messages": messages,
            limit: self.limit(request.sampling),
        }
        effort = self.options.reasoning
        claude_thinks = is_claude(self.target.model) and effort not in (None, "none")
        if claude_thinks and not self.thinker.adaptive:
            # litellm's own budgets know nothing of the limit of the reply.
            budget = {"type": "enabled", "budget_tokens": self.room(request.sampling)}
            body["thinking"] = budget
        elif effort:
            body["reasoning_effort"] = effort
        # A model of Anthropic that thinks accepts only its default temperature.
        if self.sends("temperature") and not claude_thinks:
            body["temperature"] = request.sampling.temperature
        if (seed := self.seed(request)) is not None:
            body["seed"] = seed
        if request.tools:
            body["tools"] = for_openai(request.tools)
            if self.sends("parallel_tool_calls"):
                body["parallel_tool_calls"] = False
            if self._company == "anthropic":
                # For Anthropic only: litellm passes it on, and other servers reject it.
                body["tools"][-1]["cache_control"] = EPHEMERAL
                _mark(messages[-1])
        return body

    def room(self, sampling: Sampling) -> int:
        room = super().room(sampling)
        budget = is_claude(self.target.model) and not self.thinker.adaptive
        thinks = self.options.reasoning not in (None, "none")
        return max(room, LEAST_BUDGET) if budget and thinks else room

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        import httpx

        limit = self.options.access.timeout
        own = {field: value for field, value in body.items() if field not in self.extra_body}
        # litellm would send `extra_body` to Anthropic as a field of that name.
        extra = self.extra_body if self._company == "anthropic" else {"extra_body": self.extra_body}
        raw: dict[str, Any] = {}
        if not self._has_answered:
            await self._connect()
        try:
            response = await self._litellm.acompletion(
                **own,
                **(extra if self.extra_body else {}),
                api_base=self.target.base_url,
                api_key=self._api_key,
                # litellm heeds the limit for connecting at OpenAI, Azure and Bedrock only.
                timeout=httpx.Timeout(limit, connect=min(limit, self.connect_seconds)),
                num_retries=0,
                max_retries=0,
                extra_headers=self.headers or None,
                logger_fn=lambda details: raw.update(_raw_reply(details)),
            )
        except Exception:
            # Of an error in a body with HTTP 200, litellm keeps only the code and the message, and
            # calls it a bad request.
            if fault := reported(raw):
                raise fault from None
            raise
        self._has_answered = True
        fields: dict[str, Any] = response.model_dump()
        # litellm turns a missing reason into `stop`.
        for choice, written in zip(fields["choices"], raw.get("choices") or (), strict=False):
            if isinstance(written, dict) and written.get("finish_reason", "") is None:
                choice["finish_reason"] = None
        return fields

    async def _connect(self) -> None:
        """Raises ApiError if the user's own server does not answer an attempt to connect.

        litellm would wait for a connection as long as for a reply. A proxy connects by itself.
        """
        address = urlsplit(self.target.base_url or "")
        host = address.hostname
        if not host or (address.scheme in getproxies() and not proxy_bypass(host)):
            return
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self.connect_seconds):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
        except TimeoutError:
            message = f"the host does not answer: {host}:{port}"
            raise ApiError("connection", message, unreached=True) from None
        except OSError:
            return  # litellm reports it.

    async def close(self) -> None:
        await super().close()
        await self._litellm.close_litellm_async_clients()

    def fault(self, error: Exception) -> ApiError:
        return from_sdk(error)

    def read(self, raw: dict[str, Any]) -> ParsedReply:
        for choice in raw["choices"]:
            # litellm moves fields that it does not know to this place.
            moved = choice.get("provider_specific_fields") or {}
            choice["error"] = choice.get("error") or moved.get("error")
            # litellm turns reasons that it does not know, `error` among them, into `stop`.
            native = moved.get("native_finish_reason")
            if native is not None and choice["finish_reason"] == "stop":
                choice["finish_reason"] = native
        return read_chat(raw)

    def versions(self) -> dict[str, str]:
        return {"litellm": importlib.metadata.version("litellm")}


def _raw_reply(details: dict[str, Any]) -> dict[str, Any]:
    """The body of a response as litellm received it; empty at its other calls of a logger."""
    try:
        body = json.loads(details.get("original_response") or "")
    except (TypeError, ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _mark(message: dict[str, Any]) -> None:
    content = message["content"]
    (content[-1] if isinstance(content, list) else message)["cache_control"] = EPHEMERAL
