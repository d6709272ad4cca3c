"""The common part of all API providers: pictures, rate limits, retries, costs, reply cache.

An adapter formats a request, sends it and parses the response.
"""

import asyncio
import logging
import math
import re
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from proactive_agent.providers.api.cache import ReplyCache, cache_key
from proactive_agent.providers.api.encoding import Encoder, Pictures
from proactive_agent.providers.api.extras import parse_extra_body, parse_headers
from proactive_agent.providers.api.faults import (
    SLOWED_BY,
    STOPPING,
    WITHHELD,
    ApiError,
    shortened,
)
from proactive_agent.providers.api.finish_reasons import normalised
from proactive_agent.providers.api.keys import protect_secrets
from proactive_agent.providers.api.pace import Pace
from proactive_agent.providers.api.prices import (
    CHARACTERS_PER_TOKEN,
    Tokens,
    find_price,
    input_tokens,
)
from proactive_agent.providers.api.retry import Retry
from proactive_agent.providers.api.server import ApiTarget, parse_target, plain
from proactive_agent.providers.api.thinking import ThinkingRoom, thinker
from proactive_agent.providers.base import (
    Preview,
    Provider,
    ProviderError,
    ProviderOptions,
    StoppedError,
)
from proactive_agent.providers.messages import (
    Reply,
    Request,
    RequestKey,
    ServedBy,
    TextPart,
    Usage,
    UserMessage,
)
from proactive_agent.providers.reply_check import checked, count
from proactive_agent.providers.thoughts import separated
from proactive_agent.settings import Sampling
from proactive_agent.tools import ToolCall, UserError
from proactive_agent.tools.reading import clean
from proactive_agent.tools.secrets import redacted

log = logging.getLogger(__name__)

PROBE = "Reply with the word: ready"
PROBE_TOKENS = 64
"""Longest answer of the probe in tokens; thinking does not count."""
LARGEST_SEED = 2**31
"""Seeds that are sent are smaller."""
_REFUSED_THOUGHTS = (
    r"(?is)(?=.*(?:unsupported|not supported|unknown|unrecognized|unexpected|not permitted|extra))"
    r".*\breasoning(?:_content|_details)?\b"
)
REFUSED_LIMIT = r"(?i)\buse\b.*\bmax_completion_tokens\b|max_completion_tokens\b.*\binstead"
"""Azure and gateways to newer models refuse `max_tokens` and name the field that they accept."""
MISCONFIGURED = STOPPING | {"not_found", "connection", "bad_request"}
"""Failures of a probe that every later request would repeat."""


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """A raw response, parsed by an adapter."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None
    """The reason as the API wrote it."""
    tokens: Tokens
    opaque: Any = None


_NO_SETTINGS = frozenset({"model", "messages", "input", "store", "stream", "include"})
"""Fields of a request body, besides system prompt and tools, that do not affect text generation."""


class ApiProvider(Provider):
    """A model behind an API."""

    name: ClassVar[str]
    """The name before the colon of a spec."""
    may_be_left_out: ClassVar[Mapping[str, str]] = {
        "temperature": r"\btemperature\b",
        "parallel_tool_calls": r"\bparallel_tool_calls\b",
        # Only the second turn of a conversation shows that a server rejects its own thoughts.
        "reasoning": _REFUSED_THOUGHTS,
    }
    """Fields that some models reject, with a pattern for the message that rejects it. They are
    left out from the first refusal on, and the manifest lists them."""
    remote: ClassVar[bool] = True
    charges: ClassVar[bool] = True
    extra: ClassVar[str | None] = "api"

    def __init__(self, target: ApiTarget, options: ProviderOptions) -> None:
        access = options.access
        self.target = target
        self.options = options
        self.extra_body = parse_extra_body(options.extra_body)
        self.headers = parse_headers(options.header)
        """Headers that the user adds, with the values of environment variables filled in."""
        self.left_out: set[str] = set()
        self.thinker = thinker(self.name, target.model, own_server=target.base_url is not None)
        self.thinking = ThinkingRoom(self.thinker, options.reasoning)
        self.pace = Pace(access.rpm, access.tpm)
        self.spec = f"{self.name}:{target.model}"
        """The model in error messages, without the address of its server."""
        full = f"{self.spec}@{target.base_url}" if target.base_url else self.spec
        self.price = find_price(full, access.price)
        self._encoder = Encoder(options.image_size, options.image_quality, options.image_format)
        self._retry = Retry(access.tries, access.first_wait, access.patience, name=self.spec)
        self._cache = ReplyCache(Path(access.cache)) if access.cache else None
        protect_secrets()

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls(parse_target(model), options)

    # Implemented by an adapter --------------------------------------------------------------------

    @abstractmethod
    def body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        """Formats a request as a JSON body. Raises ApiError if the API cannot express it."""

    @abstractmethod
    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sends a body once and returns the response. Raises ApiError or an SDK error."""

    @abstractmethod
    def fault(self, error: Exception) -> ApiError:
        """Converts an exception of the SDK."""

    @abstractmethod
    def read(self, raw: dict[str, Any]) -> ParsedReply:
        """Parses a response. Raises ApiError, or KeyError and the like if it is malformed."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that send requests, by name."""

    @property
    def address(self) -> str | None:
        """Base URL of the API; None if a library chooses it."""
        return self.target.base_url

    # ----------------------------------------------------------------------------------------------

    async def complete(self, request: Request) -> Reply:
        try:
            return await self._complete(request)
        except ApiError as fault:
            message = redacted(str(fault))
            if fault.kind in STOPPING:
                raise StoppedError(f"{self.spec}: {fault.kind}: {message}") from None
            raise ProviderError(fault.kind, message, fault.usage) from None

    async def _complete(self, request: Request) -> Reply:
        """Sends a request and adapts it to the model. Raises ApiError.

        Repeats the request if the model rejects a field or the thinking room, and if the reply
        shows that the thinking room is wrong.
        """
        pictures = await self._encoder.pictures(request)
        sizes = {key: picture.sent.size for key, picture in pictures.items()}
        prompt, discarded = input_tokens(request, sizes), Usage()
        room = self.thinking.room(request.sampling, prompt)
        tried: set[int] = set()
        """Thinking rooms with which the model has replied."""
        while True:
            asked = _with_room(request, room)
            body = self._body(asked, pictures)
            try:
                reply = await self._asked(
                    body, self._expected(prompt, asked), self._key(asked, body)
                )
            except ApiError as fault:
                if fault.withheld is not None:
                    reply = self._withheld(fault.withheld, request, prompt)
                    break
                if not self._leave_out(fault, asked, pictures, body):
                    room = self.thinking.after_refusal(fault, request.sampling, prompt, room)
                    if self._body(_with_room(request, room), pictures) == body:
                        fault.usage = None if discarded == Usage() else discarded
                        raise
                continue
            tried.add(room)
            wanted = self.thinking.after_reply(reply, request.sampling, prompt, room)
            if wanted in tried:
                break
            discarded, room = _total(discarded, reply.usage), wanted
        shown = [pictures[part.key].sent for part in request.pictures]
        return replace(
            reply,
            usage=_total(discarded, reply.usage),
            tool_format="native" if request.tools else None,
            sent_image=shown[-1] if shown else None,
            thinking_room=self.room(asked.sampling),
        )

    async def probe(self, sampling: Sampling) -> Reply | None:
        message = UserMessage((TextPart(PROBE),))
        limited = replace(sampling, max_tokens=PROBE_TOKENS)
        request = Request(RequestKey("probe", 0, 0), (message,), sampling=limited)
        try:
            return await self._complete(request)
        except ApiError as fault:
            if fault.kind in MISCONFIGURED:
                told = clean(str(fault))
                raise UserError(f"{self.spec}: {fault.kind}: {told}") from None
            return None  # The failure may be temporary; the run handles it.

    async def preview(self, request: Request) -> Preview | None:
        try:
            asked = _with_room(request, self.room(request.sampling))
            body = self._body(asked, await self._encoder.pictures(request))
        except ApiError as fault:
            raise ProviderError(fault.kind, str(fault)) from None
        return Preview(self.address or f"an address that {self.library} chooses", body)

    def manifest(self) -> dict[str, Any]:
        price = self.price
        return {
            "model": self.target.model,
            "base_url": self.address,
            **self.learnt(),
            "image": {
                "format": self.options.image_format,
                "longest_edge": self.options.image_size,
                "quality": self.options.image_quality,
            },
            "price": None
            if price is None
            else {
                "input_usd_per_million": price.input * 1e6,
                "output_usd_per_million": price.output * 1e6,
                "source": price.source,
            },
            **self.versions(),
        }

    def generation_settings(self, sampling: Sampling) -> dict[str, Any]:
        message = UserMessage((TextPart(PROBE),))
        request = Request(RequestKey("settings", 0, 0), (message,), sampling=sampling)
        body = self._body(_with_room(request, self.room(sampling)), {})
        # A seed differs from request to request, unless the user sets one.
        skipped = _NO_SETTINGS if self.options.api_seed is not None else _NO_SETTINGS | {"seed"}
        return {name: value for name, value in body.items() if name not in skipped}

    def learnt(self) -> dict[str, Any]:
        return {"left_out": sorted(self.left_out), "thinks": self.thinking.thinks}

    async def close(self) -> None:
        if self._cache:
            self._cache.close()

    def sends(self, field: str) -> bool:
        """Whether a request contains this field; False once the API has rejected it."""
        return field not in self.left_out

    def seed(self, request: Request) -> int | None:
        """The seed to send, or None. A seed that the user chose is never left out."""
        if self.options.api_seed is not None:
            return self.options.api_seed
        if request.sampling.varies and self.sends("seed"):
            return request.seed % LARGEST_SEED
        return None

    def _body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        """The body of a request, with the fields that are sent only if a user sets them."""
        sampling = request.sampling
        chosen = {"top_p": sampling.top_p, "top_k": sampling.top_k}
        set_by_user = {name: value for name, value in chosen.items() if value is not None}
        body = self.body(request, pictures)
        if sampling.generation != "greedy":
            # The API's own defaults apply.
            body.pop("temperature", None)
        return body | set_by_user | self.extra_body

    def limit(self, sampling: Sampling) -> int:
        """The limit of a reply in tokens, thinking room included."""
        return sampling.max_tokens + self.room(sampling)

    def room(self, sampling: Sampling) -> int:
        """Tokens for thinking."""
        return self.thinking.room(sampling)

    def _leave_out(
        self, fault: ApiError, request: Request, pictures: Pictures, refused: dict[str, Any]
    ) -> bool:
        """Leaves out a field that the error names. Returns whether the request has changed.

        It has also changed if another request left out a field in the meantime.
        """
        if fault.kind != "bad_request":
            return False
        if self._body(request, pictures) != refused:
            return True
        for field, pattern in self.may_be_left_out.items():
            if field in self.left_out or not re.search(pattern, str(fault)):
                continue
            self.left_out.add(field)
            if self._body(request, pictures) != refused:
                log.info("%s: left out from now on: %s (%s)", self.spec, field, fault)
                return True
            self.left_out.remove(field)  # The error means another field.
        return False

    def _expected(self, prompt: int, request: Request) -> int:
        """Tokens that a request is expected to use, for the limit per minute."""
        sampling = request.sampling
        room = self.room(sampling) if self.thinking.thinks else 0
        return prompt + sampling.max_tokens + room

    def _key(self, request: Request, body: dict[str, Any]) -> str | None:
        if self._cache is None:
            return None
        seed = request.seed if request.sampling.varies else None
        # Each repetition has its own key. The first one's key is that of older caches.
        repeat = (request.key.repeat,) if request.key.repeat else ()
        headers = (sorted(self.options.header),) if self.options.header else ()
        return cache_key(self.name, self.address, body, seed, *repeat, *headers)

    async def _asked(self, body: dict[str, Any], tokens: int, key: str | None) -> Reply:
        if self._cache and key and (kept := await self._kept(self._cache, key)):
            return replace(kept, usage=replace(kept.usage, cost_usd=0.0, cache_hit=True))

        async def attempt() -> tuple[Reply, dict[str, Any]]:
            return await self._attempt(body, tokens)

        reply, raw = await self._retry(attempt)
        if self._cache and key and _is_kept(reply):
            await self._cache.put(key, raw)
        return reply

    async def _kept(self, cache: ReplyCache, key: str) -> Reply | None:
        """The reply of an earlier request, or None if there is none that may be used."""
        raw = await cache.get(key)
        if raw is None:
            return None
        try:
            reply = self._reply(plain(raw), 0.0)
            if _is_kept(reply):
                return reply
        except ApiError:
            pass
        await cache.discard(key)  # Older versions kept every reply.
        return None

    async def _attempt(self, body: dict[str, Any], tokens: int) -> tuple[Reply, dict[str, Any]]:
        async with self.pace.slot(tokens) as slot:
            started = time.perf_counter()
            try:
                async with asyncio.timeout(self.options.access.timeout):
                    raw = plain(await self.send(body))
                reply = self._reply(raw, time.perf_counter() - started)
            except Exception as error:
                fault = self._explained(error)
                if fault.kind in SLOWED_BY:
                    # A wait beyond the patience of a request must not delay the others.
                    wait = fault.wait or 0.0
                    patient = wait <= self.options.access.patience
                    self.pace.was_too_fast(slot, wait if patient else None)
                raise fault from None
            self.pace.went_well(slot, _sum(reply.usage.input_tokens, reply.usage.output_tokens))
            return reply, raw

    def _reply(self, raw: dict[str, Any], seconds: float) -> Reply:
        try:
            answer = self.read(raw)
            reason = normalised(answer.finish_reason)
            tokens = _counted(answer.tokens)
            reply = _without_thoughts(
                Reply(
                    text=answer.text,
                    tool_calls=answer.tool_calls,
                    finish_reason=reason,
                    usage=Usage(
                        input_tokens=tokens.input,
                        output_tokens=tokens.output,
                        cached_tokens=tokens.cached,
                        reasoning_tokens=tokens.reasoning,
                        cost_usd=self.price.cost(tokens) if self.price else None,
                        seconds=seconds,
                    ),
                    served=_served(raw),
                    opaque=answer.opaque,
                )
            )
        except ProviderError as error:
            raise ApiError(error.kind, str(error)) from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            kind = "bad_reply" if isinstance(error, LookupError) else "malformed"
            shown = shortened(f"{type(error).__name__}: {error}; {raw}")
            raise ApiError(kind, f"the reply has an unexpected form: {shown}") from None
        if reason == "error":
            raise ApiError("server", "the API could not finish the reply")
        if reason == "content_filter":
            raise ApiError("content_filter", "the API's content filter blocked the reply")
        return reply

    def _withheld(self, text: str, request: Request, prompt: int) -> Reply:
        """Builds the reply that the API withheld because its tool call is malformed.

        The text becomes a call without a name, which is never repaired into a valid one. The token
        counts are unknown. The cost is estimated from `prompt`, the estimated tokens of the
        request, and from the length of the text, so that a run with a budget can continue.
        """
        calls = (ToolCall("", text, "call_0"),) if request.tools and text.strip() else ()
        estimate = Tokens(prompt, math.ceil(len(text) / CHARACTERS_PER_TOKEN))
        cost = self.price.cost(estimate) if self.price else None
        reply = Reply("" if calls else text, calls, WITHHELD, Usage(cost_usd=cost))
        try:
            return _without_thoughts(reply)
        except ProviderError as error:
            raise ApiError(error.kind, str(error)) from None

    def _explained(self, error: Exception) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, TimeoutError):
            return ApiError("timeout", f"no reply within {self.options.access.timeout:g} s")
        return self.fault(error)


def _with_room(request: Request, room: int) -> Request:
    return replace(request, sampling=replace(request.sampling, thinking_tokens=room))


def _total(first: Usage, second: Usage) -> Usage:
    """The usage of two replies to one request; the first one was discarded."""
    if first == Usage():
        return second
    sums: dict[str, Any] = {}
    for field in fields(Usage):
        one, other = getattr(first, field.name), getattr(second, field.name)
        sums[field.name] = None if None in (one, other) else one + other
    return Usage(**sums | {"cache_hit": first.cache_hit and second.cache_hit})


def _without_thoughts(reply: Reply) -> Reply:
    """Checks a reply and removes the thoughts from its text. Raises ProviderError.

    Servers without a reasoning parser send thoughts as a part of the text. They become the
    `opaque` field, unless the reply has one.
    """
    reply = checked(reply)
    if isinstance(reply.opaque, dict) and reply.usage.reasoning_tokens == 0:
        # vLLM counts none where the chat template has opened the thoughts.
        reply = replace(reply, usage=replace(reply.usage, reasoning_tokens=None))
    text, thoughts = separated(reply.text)
    if text == reply.text.strip():
        return reply  # Without thoughts, the text remains as the model wrote it.
    return replace(reply, text=text, opaque=reply.opaque or thoughts or None)


def _is_kept(reply: Reply) -> bool:
    """Whether a reply goes into the cache: a reply that was cut off may be complete next time."""
    return reply.finish_reason != "length"


def _served(raw: Mapping[str, Any]) -> ServedBy | None:
    """The fields have the same names in all formats. `provider` is that of OpenRouter."""
    gateway = raw.get("provider")
    served = ServedBy(
        raw.get("model"),
        raw.get("system_fingerprint"),
        gateway if isinstance(gateway, str) else None,
    )
    return None if served == ServedBy() else served


def _counted(tokens: Tokens) -> Tokens:
    """The token counts of a reply, checked. Raises ProviderError."""
    return Tokens(
        **{
            field.name: count(f"{field.name} tokens", getattr(tokens, field.name))
            for field in fields(tokens)
        }
    )


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second
