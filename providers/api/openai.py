"""`openai:MODEL`: OpenAI's APIs. `openai:MODEL@http://host:port/v1` names a compatible server."""

import importlib.metadata
from collections.abc import Mapping
from typing import Any, ClassVar

from proactive_agent.providers.api.batch.openai_batches import OpenAIBatches
from proactive_agent.providers.api.chat_messages import chat_messages, read_chat
from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError, from_sdk
from proactive_agent.providers.api.keys import key_for
from proactive_agent.providers.api.parsed_reply import ParsedReply
from proactive_agent.providers.api.provider import REFUSED_LIMIT, ApiProvider
from proactive_agent.providers.api.responses_items import (
    read_response,
    response_items,
    response_tools,
)
from proactive_agent.providers.api.server import ApiTarget, Posts, http_timeout
from proactive_agent.providers.api.thinking import is_reasoning_model
from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.messages import Request
from proactive_agent.tools import UserError
from proactive_agent.tools.render import for_openai

ADDRESS = "https://api.openai.com/v1"


class OpenAI(ApiProvider):
    """Adapter for Chat Completions, and for Responses with OpenAI's reasoning models."""

    name = "openai"
    library = "openai"
    has_batch_api: ClassVar[bool] = True
    may_be_left_out: ClassVar[Mapping[str, str]] = {
        "max_tokens": REFUSED_LIMIT,
        "include": r"\binclude\b|[Ee]ncrypted content",
        "seed": r"\bseed\b",
        **ApiProvider.may_be_left_out,
    }
    follows_proxies: ClassVar[bool] = True
    """Whether requests go through the proxy that the environment names."""

    def __init__(self, target: ApiTarget, options: ProviderOptions) -> None:
        import openai

        super().__init__(target, options)
        # aiohttp takes half the processor time of the SDK's default client.
        timeout = http_timeout(options.access.timeout, self.connect_seconds)
        http = openai.DefaultAioHttpClient(timeout=timeout, trust_env=self.follows_proxies)
        self._client = openai.AsyncOpenAI(
            api_key=self._api_key(),
            base_url=target.base_url or ADDRESS,
            max_retries=0,
            timeout=timeout,
            default_headers=self.headers,
            http_client=http,
        )
        # On another server, the model's name says nothing about reasoning.
        own = target.base_url is not None
        self._reasons = not own and is_reasoning_model(target.model)
        # Only the o-series rejects the field. Other models may call several tools at once.
        refuses_parallel = self._reasons and target.model.startswith("o")
        self._refused = _REFUSED_WHERE_REASONING if self._reasons else frozenset()
        if refuses_parallel:
            self._refused |= {"parallel_tool_calls"}
        # Nothing is stored at the server, so reasoning must travel with the conversation.
        self._seals = self._reasons or own
        self._responses = options.api == "responses" or (options.api == "auto" and self._reasons)
        if self._responses and options.api_seed is not None:
            raise UserError(
                f"{self.spec}: the Responses API has no seed; drop --api-seed, or use --api chat"
            )
        path = "/responses" if self._responses else "/chat/completions"
        self._post = Posts(self._client, http, path)
        if options.access.batch_api:
            self.batches = OpenAIBatches(
                self._client, f"/v1{path}", self.spec, self.address, options.access
            )

    @property
    def address(self) -> str:
        return self.target.base_url or ADDRESS

    def body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        sampling, detail = request.sampling, self.options.image_detail
        body: dict[str, Any] = {"model": self.target.model}
        if self._responses:
            if request.system:
                body["instructions"] = request.system
            body["input"] = response_items(request.messages, pictures, detail or "auto")
            body["max_output_tokens"] = self.limit(sampling)
            body["store"] = False
            body["stream"] = False  # Some servers stream by default.
            if self._seals and self.sends("include"):
                body["include"] = ["reasoning.encrypted_content"]
            if self.options.reasoning:
                body["reasoning"] = {"effort": self.options.reasoning}
            tools = response_tools(request.tools)
        else:
            thoughts = self.sends("reasoning")
            body["messages"] = chat_messages(request, pictures, thoughts=thoughts, detail=detail)
            body[self._limit_field] = self.limit(sampling)
            if self.options.reasoning:
                body["reasoning_effort"] = self.options.reasoning
            if (seed := self.seed(request)) is not None:
                body["seed"] = seed
            tools = for_openai(request.tools)
        if tools:
            body["tools"] = tools
            if self.sends("parallel_tool_calls"):
                body["parallel_tool_calls"] = False
        if self.sends("temperature"):
            body["temperature"] = sampling.temperature
        return body

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._post(body)

    def fault(self, error: Exception) -> ApiError:
        return from_sdk(error)

    def read(self, raw: dict[str, Any]) -> ParsedReply:
        return read_response(raw) if self._responses else read_chat(raw)

    def sends(self, field: str) -> bool:
        # Reasoning models reject these fields, so they are never sent, not even in a probe.
        return field not in self._refused and super().sends(field)

    def manifest(self) -> dict[str, Any]:
        return super().manifest() | {"api": "responses" if self._responses else "chat"}

    def learnt(self) -> dict[str, Any]:
        facts = super().learnt()
        return facts | {"left_out": sorted({*facts["left_out"], *self._refused})}

    def versions(self) -> dict[str, str]:
        return {"openai": importlib.metadata.version("openai")}

    async def close(self) -> None:
        await super().close()
        await self._client.close()

    def _api_key(self) -> str:
        return key_for(self.name, self.target)

    @property
    def _limit_field(self) -> str:
        own = self.target.base_url is not None
        return "max_tokens" if own and self.sends("max_tokens") else "max_completion_tokens"


_REFUSED_WHERE_REASONING = frozenset({"temperature", "seed"})
