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
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from proactive_agent.providers.api.batch.interface import BatchApi
from proactive_agent.providers.api.batch.waves import WaveItem, Waves, current_waves
from proactive_agent.providers.api.cache import ReplyCache, cache_key
from proactive_agent.providers.api.encoding import Encoded, Encoder, Pictures
from proactive_agent.providers.api.extras import parse_extra_body, parse_headers
from proactive_agent.providers.api.faults import (
    SLOWED_BY,
    STOPPING,
    WITHHELD,
    ApiError,
)
from proactive_agent.providers.api.keys import protect_secrets
from proactive_agent.providers.api.pace import Pace
from proactive_agent.providers.api.parsed_reply import ParsedReply, checked_reply, reply_of
from proactive_agent.providers.api.prices import (
    CHARACTERS_PER_TOKEN,
    REPLY,
    Price,
    Tokens,
    find_price,
    input_tokens,
)
from proactive_agent.providers.api.retry import Retry
from proactive_agent.providers.api.server import ApiTarget, parse_target, plain
from proactive_agent.providers.api.thinking import TYPICAL, ThinkingRoom, thinker
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
    SentImage,
    TextPart,
    Usage,
    UserMessage,
)
from proactive_agent.settings import Sampling
from proactive_agent.tools import ToolCall, UserError
from proactive_agent.tools.reading import clean
from proactive_agent.tools.secrets import redacted

log = logging.getLogger(__name__)

PROBE = "Reply with the word: ready"
PROBE_TOKENS = 64
"""Longest answer of the probe in tokens; thinking does not count."""
MOST_BATCHES = 3
"""Most batches in which a request is submitted; each can take a day."""
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


_BLANK = Encoded("", SentImage("", "image/jpeg", (1, 1), 0))
"""Replaces every picture when bodies are compared, so that no picture is held in memory."""
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
    has_batch_api: ClassVar[bool] = False
    """Whether the adapter knows a batch API."""
    connect_seconds: ClassVar[float] = 8.0
    """Seconds after which an attempt to connect fails. A host that does not answer is thus an
    error long before `ApiAccess.timeout`, which limits a whole request."""
    remote: ClassVar[bool] = True
    charges: ClassVar[bool] = True
    extra: ClassVar[str | None] = "api"

    def __init__(self, target: ApiTarget, options: ProviderOptions) -> None:
        access = options.access
        if access.batch_api and not self.has_batch_api:
            raise UserError(
                f"{self.name}:{target.model}: --batch-api works with openai: and anthropic: only"
            )
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
        self.batch_price = find_price(full, access.price, batch=True)
        self.batches: BatchApi | None = None
        """The batch API, if the settings choose it."""
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

    def requests_at_once(self, number: int) -> AbstractContextManager[int]:
        return self.pace.at_most(number)

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
        sent = {
            key: picture.sent for key, picture in (await self._encoder.pictures(request)).items()
        }
        # A request may wait for a day, so nothing here holds its pictures.
        blank = dict.fromkeys(sent, _BLANK)
        prompt = input_tokens(request, {key: picture.size for key, picture in sent.items()})
        discarded = Usage()
        room = self.thinking.room(request.sampling, prompt)
        tried: set[int] = set()
        """Thinking rooms with which the model has replied."""
        while True:
            asked = _with_room(request, room)
            body = self._body(asked, blank)
            try:
                reply = await self._asked(asked, prompt)
            except ApiError as fault:
                if fault.withheld is not None:
                    reply = self._withheld(fault.withheld, request, prompt)
                    break
                if not self._leave_out(fault, asked, blank, body):
                    room = self.thinking.after_refusal(fault, request.sampling, prompt, room)
                    if self._body(_with_room(request, room), blank) == body:
                        fault.usage = None if discarded == Usage() else discarded
                        raise
                continue
            tried.add(room)
            wanted = self.thinking.after_reply(reply, request.sampling, prompt, room)
            if wanted in tried:
                break
            discarded, room = _total(discarded, reply.usage), wanted
        shown = [sent[part.key] for part in request.pictures]
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
        if self.batches:
            await self._check_batches(self.batches)
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

    async def _check_batches(self, batches: BatchApi) -> None:
        """Raises UserError if the server has no batch API."""
        try:
            await batches.check()
        except ApiError as fault:
            told = clean(str(fault))
            if fault.kind not in STOPPING:
                told = f"the server's batch API cannot be used ({told}); leave --batch-api out"
            raise UserError(f"{self.spec}: {told}") from None

    @property
    def uses_batches(self) -> bool:
        return self.batches is not None

    def manifest(self) -> dict[str, Any]:
        price = self.batch_price if self.batches else self.price
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
        facts = {"left_out": sorted(self.left_out), "thinks": self.thinking.thinks}
        return facts | {"batch_api": True} if self.batches else facts

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

    async def _asked(self, request: Request, prompt: int) -> Reply:
        """Returns the reply to a request whose prompt has about `prompt` tokens.

        Raises ApiError.
        """
        if self.batches and (waves := current_waves()):
            return await self._asked_in_wave(waves, self.batches, request, prompt)
        body = self._body(request, await self._encoder.pictures(request))
        key = self._key(request, body)
        if kept := await self._kept(key):
            return kept
        tokens = self._expected(prompt, request)

        async def attempt() -> tuple[Reply, dict[str, Any]]:
            return await self._attempt(body, tokens)

        reply, raw = await self._retry(attempt)
        await self._keep(key, reply, raw)
        return reply

    async def _asked_in_wave(
        self, waves: Waves, batches: BatchApi, request: Request, prompt: int
    ) -> Reply:
        tries = 0
        while True:
            item, key = await self._item(batches, request, prompt)
            if kept := await self._kept(key) or await self._answered(waves, batches, item):
                return kept
            ticket = waves.hold(batches, item)
            del item  # It holds the pictures.
            tries += 1
            try:
                raw = await waves.reply(ticket)
                reply = self._reply(raw, None)
            except ApiError as fault:
                await waves.discard(ticket.custom_id)
                if not fault.retried or tries == MOST_BATCHES:
                    again = ApiError(fault.kind, f"{fault} (asked in {tries} batches)")
                    again.withheld = fault.withheld
                    raise again if tries > 1 else fault from None
                log.info("%s: asked again in the next wave: %s", self.spec, fault)
                continue
            if reply.usage.cost_usd is not None:
                waves.paid(ticket.usd, reply.usage.cost_usd)
            await self._keep(key, reply, raw)
            return reply

    async def _item(
        self, batches: BatchApi, request: Request, prompt: int
    ) -> tuple[WaveItem, str | None]:
        """Builds a request of a batch. Returns it with its key in the reply cache."""
        body = self._body(request, await self._encoder.pictures(request))
        asked = request.key
        # An id per turn: two samples can have the same body.
        turn = [asked.scenario, asked.sample_id, asked.turn, asked.repeat]
        custom_id = cache_key(self.name, self.address, body, turn, sorted(self.options.header))
        thought = min(self.room(request.sampling), TYPICAL) if self.thinking.thinks else 0
        price = self.batch_price
        usd = price.cost(Tokens(prompt, REPLY + thought)) if price else None
        item = WaveItem(custom_id, batches.item(custom_id, body), asked.turn, usd or 0.0)
        return item, self._key(request, body)

    async def _answered(self, waves: Waves, batches: BatchApi, item: WaveItem) -> Reply | None:
        """The reply of a batch that an earlier process of the run has paid for, or None."""
        raw = await waves.kept(batches, item.custom_id)
        if raw is None:
            return None
        try:
            reply = self._reply(plain(raw), None)
        except ApiError:
            await waves.discard(item.custom_id)
            return None
        waves.paid_before(reply.usage.cost_usd or 0.0)
        return reply

    async def _kept(self, key: str | None) -> Reply | None:
        """The reply of an earlier request from the cache, or None if none may be used."""
        raw = await self._cache.get(key) if self._cache and key else None
        if self._cache is None or key is None or raw is None:
            return None
        try:
            reply = self._reply(plain(raw), 0.0)
            if _is_kept(reply):
                return replace(reply, usage=replace(reply.usage, cost_usd=0.0, cache_hit=True))
        except ApiError:
            pass
        await self._cache.discard(key)  # Older versions kept every reply.
        return None

    async def _keep(self, key: str | None, reply: Reply, raw: dict[str, Any]) -> None:
        """Puts a reply into the cache."""
        if self._cache and key and _is_kept(reply):
            await self._cache.put(key, raw)

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

    @property
    def _price(self) -> Price | None:
        """The price of the request that the calling task makes. A probe is no part of a wave."""
        return self.batch_price if self.batches and current_waves() else self.price

    def _reply(self, raw: dict[str, Any], seconds: float | None) -> Reply:
        """Parses a response. Raises ApiError."""
        return reply_of(self.read, raw, self._price, seconds)

    def _withheld(self, text: str, request: Request, prompt: int) -> Reply:
        """Builds the reply that the API withheld because its tool call is malformed.

        The text becomes a call without a name, which is never repaired into a valid one. The token
        counts are unknown. The cost is estimated from `prompt`, the estimated tokens of the
        request, and from the length of the text, so that a run with a budget can continue.
        """
        calls = (ToolCall("", text, "call_0"),) if request.tools and text.strip() else ()
        estimate = Tokens(prompt, math.ceil(len(text) / CHARACTERS_PER_TOKEN))
        cost = price.cost(estimate) if (price := self._price) else None
        reply = Reply("" if calls else text, calls, WITHHELD, Usage(cost_usd=cost))
        return checked_reply(reply)

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


def _is_kept(reply: Reply) -> bool:
    """Whether a reply goes into the cache: a reply that was cut off may be complete next time."""
    return reply.finish_reason != "length"


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second
