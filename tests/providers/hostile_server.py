"""A server with OpenAI's and Anthropic's APIs that misbehaves on demand.

    python -m tests.providers.hostile_server --delay 0.2       # without faults

It is independent of the program under test: it uses the standard library only.
"""

import argparse
import asyncio
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.providers import hostile_replies as replies

Headers = dict[str, str]


@dataclass(frozen=True)
class Received:
    """A received request."""

    path: str
    headers: Headers
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    """Time of arrival in seconds."""

    @property
    def key(self) -> str:
        """The key that was sent."""
        sent = self.headers.get("x-api-key") or self.headers.get("authorization", "")
        return sent.removeprefix("Bearer ")


@dataclass(frozen=True)
class Sent:
    """A response, valid or not."""

    status: int = 200
    body: str = ""
    headers: Headers = field(default_factory=dict)
    cut_after: int | None = None
    """Number of body bytes after which the connection is reset; None sends the whole body."""
    seconds: float = 0.0
    """Seconds until the response is sent."""


Trouble = Callable[[Received], Sent]


def failing(status: int, message: str, code: str = "", **headers: str) -> Trouble:
    """An error response with this HTTP status, in the format of the API."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda received: Sent(status, replies.error(received.path, message, code), named)


def replying(**how: Any) -> Trouble:
    """A response with HTTP 200 and changed fields."""
    return lambda received: Sent(
        body=json.dumps(replies.reply(received.path, received.body, **how))
    )


def failing_with_key(status: int, before: str = "", end: int | None = None) -> Trouble:
    """An error response that repeats the key of the request up to character `end`."""
    return lambda received: failing(status, f"{before}{received.key[:end]}")(received)


def withholding(text: str) -> Trouble:
    """Groq: refuses to return a reply whose tool call is malformed."""
    error = {
        "message": "Failed to call a function. Please adjust your prompt. See 'failed_generation' "
        "for more details.",
        "type": "invalid_request_error",
        "code": "tool_use_failed",
        "failed_generation": text,
    }
    return lambda _: Sent(400, json.dumps({"error": error}))


def replying_with_key(field: str, text: str = "{}") -> Trouble:
    """A reply with the key of the request in `text`, in place of {}."""

    def reply(received: Received) -> Sent:
        fields = {field: text.replace("{}", received.key), "calls": int(field != "text")}
        return replying(**fields)(received)

    return reply


def instead(**how: Any) -> Trouble:
    """A malformed response."""
    return lambda _: Sent(**how)


def wrong(field: str, value: Any) -> Trouble:
    """A response in which one field has a value of the wrong type or range."""
    return lambda received: Sent(
        body=json.dumps(replies.wrong(received.path, received.body, field, value))
    )


def gemini_quota(per: str, **details: Any) -> Trouble:
    """HTTP 429 in the format of Gemini, whose details name the quota and the wait."""
    violation = {"quotaId": f"GenerateRequestsPer{per}PerProjectPerModel-FreeTier"}
    google = "type.googleapis.com/google.rpc"
    error = {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": f"{google}.QuotaFailure", "violations": [violation]},
            {"@type": f"{google}.RetryInfo", **details},
        ],
    }
    return instead(status=429, body=json.dumps({"error": error}))


def reporting(error: Any, place: str = "beside choices") -> Trouble:
    """A response with HTTP 200 whose body reports an error at a place of `with_error`."""
    return lambda received: Sent(
        body=json.dumps(replies.with_error(received.path, received.body, error, place))
    )


def without_message(received: Received) -> Sent:
    """A completion whose message is empty and that does not say why it ends."""
    made = replies.reply(received.path, received.body)
    made["choices"][0] |= {"message": {}, "finish_reason": None}
    return Sent(body=json.dumps(made))


def _limit(body: dict[str, Any]) -> int:
    """The limit of a reply in tokens."""
    names = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    return next(int(body[name]) for name in names if name in body)


def thinker(received: Received) -> Sent:
    """A model that thinks 1,000 tokens, but only about pictures."""
    if not replies.shows_picture(received.body):
        return replying(reasoned=0)(received)
    if _limit(received.body) <= 1000:
        return replying(thinking=True, silent=True, stop="length")(received)
    return replying(thinking=True, reasoned=1000)(received)


def hidden_thinker(received: Received) -> Sent:
    """A model that thinks 1,000 tokens, of which the API reports nothing but their number."""
    if _limit(received.body) <= 1000:
        return replying(silent=True, reasoned=0, stop="length")(received)
    made = replies.reply(received.path, received.body, reasoned=0)
    for name in ("completion_tokens", "output_tokens"):
        if name in made["usage"]:
            made["usage"][name] = 1000
    return Sent(body=json.dumps(made))


def chatterbox(received: Received) -> Sent:
    """A model that does not think and writes 1,000 words, as far as its limit allows."""
    written = min(_limit(received.body), 1000)
    stop = "length" if written < 1000 else ""
    fields: dict[str, Any] = {"calls": 0, "text": "word " * written, "stop": stop}
    return replying(reasoned=0, used=written, **fields)(received)


def context_of(tokens: int, message: str) -> Trouble:
    """A model whose context holds a prompt of 1,000 tokens and a reply up to `tokens`."""

    def reply(received: Received) -> Sent:
        limit = _limit(received.body)
        if limit + 1000 > tokens:
            said = message.format(context=tokens, limit=limit, most=tokens - 1000)
            return failing(400, said)(received)
        return replying()(received)

    return reply


def wants_its_thoughts(received: Received) -> Sent:
    """DeepSeek: rejects a call without the thinking that led to it."""
    for message in received.body.get("messages", ()):
        if message.get("tool_calls") and not message.get("reasoning_content"):
            return failing(
                400, "The `reasoning_content` in the thinking mode must be passed back to the API."
            )(received)
    return replying(thinking=True)(received)


def wants_sealed_reasoning(received: Received) -> Sent:
    """The Responses API without storage: knows nothing of reasoning that is not sent along."""
    items = received.body["input"]
    called = any(item.get("type") == "function_call" for item in items)
    sealed = any(item.get("encrypted_content") for item in items)
    if called and not sealed:
        return failing(
            404, "Item with id 'rs_1' not found. Items are not persisted when `store` is false."
        )(received)
    made = replies.reply(received.path, received.body, thinking=True)
    if "reasoning.encrypted_content" not in received.body.get("include", ()):
        del made["output"][0]["encrypted_content"]
    return Sent(body=json.dumps(made))


def wants_thinking_first(received: Received) -> Sent:
    """Anthropic: with a budget, the reply that led to the last results begins with thinking."""
    messages = received.body["messages"]
    budget = received.body.get("thinking", {}).get("type") == "enabled"
    answered = any(block["type"] == "tool_result" for block in messages[-1]["content"])
    if budget and answered and messages[-2]["content"][0]["type"] != "thinking":
        return failing(
            400,
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is "
            "enabled, a final `assistant` message must start with a thinking block.",
        )(received)
    return replying(thinking=budget)(received)


def gemini(parts: list[dict[str, Any]], reason: str = "STOP") -> Trouble:
    """A response in Gemini's own format, with 5 tokens of thinking."""
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 15, "thoughtsTokenCount": 5,
             "totalTokenCount": 1020}  # fmt: skip
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}
    made = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m-2026"}
    return instead(body=json.dumps(made))


def refusing(present: Callable[[dict[str, Any]], bool], message: str) -> Trouble:
    """An error response to requests with a field, and a valid reply to others."""
    return lambda received: (failing(400, message) if present(received.body) else replying())(
        received
    )


OVERFLOWS = {
    "OpenAI": "This model's maximum context length is {context} tokens. However, you requested "
    "{limit} tokens (1000 in the messages, {limit} in the completion).",
    "vLLM": "'max_tokens' or 'max_completion_tokens' is too large: {limit}. This model's maximum "
    "context length is {context} tokens and your request has 1000 input tokens.",
    "OpenAI's limit": "max_tokens is too large: {limit}. This model supports at most {most} "
    "completion tokens, whereas you provided {limit}.",
    "Anthropic": "input length and `max_tokens` exceed context limit: 1000 + {limit} > {context}, "
    "decrease input length or `max_tokens` and try again",
    "Anthropic's limit": "max_tokens: {limit} > {most}, which is the maximum allowed number of "
    "output tokens for m",
    "OpenRouter": "This endpoint's maximum context length is {context} tokens. However, you "
    "requested about 9256 tokens (1000 of text input, {limit} in the output).",
    "Mistral": "Prompt contains 1000 tokens, too large for model with {context} maximum context "
    "length",
    "Groq": "`max_tokens` must be less than or equal to `{most}`",
    "DeepSeek": "Invalid max_tokens value, the valid range of max_tokens is [1, {most}]",
}
"""How APIs say that the limit of a reply is too high."""

DEEP = "[" * 1000 + "]" * 1000
WRONG: dict[str, Trouble] = {
    "text is an object": wrong("text", {"parts": []}),
    "text is a number": wrong("text", 7),
    "finish reason is an object": wrong("finish", {"type": "stop"}),
    "name is a number": wrong("name", 7),
    "id is a number": wrong("id", 7),
    "tokens are text": wrong("tokens", "many"),
    "tokens are NaN": wrong("tokens", float("nan")),
    "tokens are 1.5": wrong("tokens", 1.5),
    "tokens are negative": wrong("tokens", -1),
    "tokens are 2**70": wrong("tokens", 2**70),
    "tokens have 400 digits": wrong("tokens", 10**399),
    "deep": instead(body='{"choices": ' + DEEP + ', "output": ' + DEEP + "}"),
}
"""Replies that are JSON, with a field of the wrong type or range."""

TROUBLES: dict[str, Trouble] = {
    "400": failing(400, "messages: no such field"),
    "temperature refused": failing(400, "temperature: no such field"),
    "parallel calls refused": refusing(
        lambda body: "parallel_tool_calls" in body,
        "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
    ),
    "adaptive refused": refusing(
        lambda body: body.get("thinking", {}).get("type") == "adaptive",
        "adaptive thinking is not supported on this model",
    ),
    "max_tokens refused always": refusing(
        lambda body: "max_tokens" in body,
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
    ),
    "gemini's call": gemini(
        [
            {"text": "Hm.", "thought": True},
            {
                "functionCall": {"name": "move_object", "args": {"direction": "left"}},
                "thoughtSignature": "c2lnbmVk",
            },
        ]
    ),
    "gemini cut off": gemini([], "MAX_TOKENS"),
    "thinker": thinker,
    "hidden thinker": hidden_thinker,
    "chatterbox": chatterbox,
    "wants its thoughts": wants_its_thoughts,
    "wants sealed reasoning": wants_sealed_reasoning,
    "wants thinking first": wants_thinking_first,
    **{f"context of {name}": context_of(4096, text) for name, text in OVERFLOWS.items()},
    "context without numbers": context_of(4096, "max_tokens: the prompt is too long"),
    "401": failing(401, "Incorrect API key provided"),
    "expired key": failing(400, "API key expired. Please renew the API key.", "API_KEY_INVALID"),
    "402": failing(402, "Insufficient Balance"),
    "403": failing(403, "not for this account"),
    "404": failing(404, "The model does not exist", "model_not_found"),
    "408": failing(408, "took too long"),
    "409": failing(409, "conflict"),
    "413": failing(413, "request_too_large"),
    "429": failing(429, "slow down", "rate_limit_exceeded"),
    "429 with a wait": failing(429, "slow down", "rate_limit_exceeded", retry_after="0.05"),
    "429 with a long wait": failing(429, "slow down", retry_after="86400"),
    "quota": failing(429, "You exceeded your current quota", "insufficient_quota"),
    "openrouter per day": failing(
        429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 requests."
    ),
    "gemini per minute": gemini_quota("Minute", retryDelay="0.05s"),
    "gemini per day": gemini_quota("Day", retryDelay="3s"),
    "500": failing(500, "internal error"),
    "deep error": instead(status=500, body='{"error": ' + DEEP + "}"),
    "surrogate in an error": failing(400, "no \ud800"),
    "503": failing(503, "overloaded"),
    "529": failing(529, "Overloaded", "overloaded_error"),
    "max_tokens refused": failing(
        400,
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
    ),
    "encryption refused": failing(400, "Encrypted content is not supported with this model."),
    "thoughts refused": failing(400, "'messages.2': property 'reasoning_content' is unsupported"),
    "context overflow": failing(
        400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"
    ),
    "filtered request": failing(400, "triggered content management policy", "content_filter"),
    "slow": lambda received: Sent(seconds=0.05, body=replying()(received).body),
    "hanging": instead(seconds=3600.0),
    "reset": lambda received: Sent(body=replying()(received).body, cut_after=40),
    "truncated": lambda received: Sent(body=replying()(received).body[:-30]),
    "html": instead(body="<html>Welcome</html>", headers={"content-type": "text/html"}),
    "byte order mark": lambda received: Sent(body="\ufeff" + replying()(received).body),
    "empty choices": replying(empty=True),
    "failed upstream": lambda received: Sent(
        body=json.dumps(replies.failed_upstream(received.path, received.body))
    ),
    "no message": without_message,
    "incomplete": lambda received: Sent(
        body=json.dumps(
            replies.reply(received.path, received.body, calls=0, text="The thing in")
            | {"status": "incomplete"}
        )
    ),
    "uncounted thoughts": replying(thinking=True, reasoned=0),
    "wrong key in a body": reporting({"type": "authentication_error", "message": "Who?"}),
    "failed upstream, in a body": reporting(
        {"type": "upstream_error", "message": "The upstream timed out."}, "alone"
    ),
    "failed upstream, in words": reporting("The upstream timed out.", "alone"),
    "context window exceeded": replying(
        calls=0, text="The thing in the pic", stop="model_context_window_exceeded"
    ),
    "overloaded in a body": reporting({"code": 503, "message": "Busy."}),
    **{
        f"no credit {place}": reporting({"code": "402", "message": "Pay first."}, place)
        for place in ("alone", "beside choices", "in a choice")
    },
    "wrong key in a choice": reporting({"type": "authentication_error"}, "in a choice"),
    "empty error": lambda received: Sent(
        body=json.dumps(
            replies.reply(received.path, received.body) | {"error": {"message": "", "code": None}}
        )
    ),
    "inline thoughts": replying(calls=0, text="<think>Maybe A. or B. Hm.</think>\n\nB."),
    "inline thoughts and a call": replying(text="<think>Hm.</think>"),
    "inline thoughts cut off": replying(calls=0, text="<think>Maybe A.", stop="length"),
    "through a gateway": lambda received: Sent(
        body=json.dumps(replies.through_gateway(received.path, received.body))
    ),
    "surrogate in the finish reason": wrong("finish", "\ud800"),
    **WRONG,
    "withheld call": withholding('<function=answer {"category": "Cat."</function>'),
    "withheld call in a body": reporting(
        {"code": "tool_use_failed", "failed_generation": "<function=", "message": "Failed."},
        "alone",
    ),
    "withheld nothing": withholding(""),
    "broken arguments": replying(arguments='{"direction": lef'),
    "unknown tool": replying(tool="fly_away"),
    "several calls": replying(calls=2),
    "call and text": replying(text="Let me look."),
    "text": replying(calls=0, text="Please move the block to the left."),
    "refusal": replying(calls=0, refusal="I cannot help with that."),
    "filtered reply": replying(calls=0, stop="content_filter"),
    "length": replying(calls=0, text="The thing in the pic", stop="length"),
    "call cut off": replying(arguments='{"direction": lef', stop="length"),
    "no usage": replying(usage=False),
    "thinking": replying(thinking=True),
    "verdicts": replying(calls=0, text="[false, false, false, true]"),
    "key in an error": failing_with_key(400, "Incorrect API key provided: "),
    "key where the message is cut": failing_with_key(400, "x" * 365 + " "),
    "key without its last character": failing_with_key(400, "", -1),
    "key without its second half": failing_with_key(400, "key ", 12),
    "key in text": replying_with_key("text", "I was sent {}."),
    "key in arguments": replying_with_key("arguments", '{"direction": "{}"}'),
    "key in a tool's name": replying_with_key("tool"),
    "key in the finish reason": replying_with_key("stop"),
}
TRANSIENT = (
    "408", "409", "429", "429 with a wait", "500", "503", "529", "reset", "truncated", "html",
    "empty choices", "failed upstream",
)  # fmt: skip
LASTING = (
    "400", "413", "context overflow", "filtered request", "filtered reply", "tokens are 2**70",
    "name is a number", "deep",
)  # fmt: skip
STOPPING = ("401", "expired key", "402", "403", "quota", "gemini per day", "openrouter per day")
"""Responses after which no later request can succeed."""


class HostileServer:
    """Serves on a free local port, in a thread."""

    def __init__(self, delay: float = 0.0, port: int = 0) -> None:
        self.delay = delay
        self.received: list[Received] = []
        self.most_at_once = 0
        self.share = 0.0
        """Share of requests that get a faulty response."""
        self.troubles: tuple[str, ...] = TRANSIENT
        self.keep = True
        """Whether requests are kept. False for benchmarks with thousands of requests."""
        self._queue: deque[str | None] = deque()
        self._rng = random.Random(0)
        self._at_once = 0
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address with the version path that OpenAI's SDK expects."""
        return f"http://127.0.0.1:{self._port}/v1"

    def then(self, *troubles: str | None) -> None:
        """Sets the responses to the next requests, in order; None is a valid reply."""
        self._queue.extend(troubles)

    @contextmanager
    def running(self) -> Iterator["HostileServer"]:
        """Runs the server until the block ends."""
        ready = threading.Event()
        stop = asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(
                self._connection, "127.0.0.1", self._port, limit=2**26, backlog=1024
            )
            self._port = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),))
        thread.start()
        ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join()
            self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (received := await _receive(reader)) is not None:
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                try:
                    if not await self._answer(received, writer):
                        return
                finally:
                    self._at_once -= 1
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        """Sends the response and returns whether the connection is still usable."""
        if self.keep:
            self.received.append(received)
        name = self._trouble()
        sent = (TROUBLES[name] if name else replying())(received)
        # Measured from arrival, so that the time of this server does not count.
        passed = time.monotonic() - received.at
        await asyncio.sleep(max(self.delay, sent.seconds) - passed)
        content = sent.body.encode()
        headers = {"content-type": "application/json", **sent.headers}
        lines = [f"HTTP/1.1 {sent.status} Whatever", f"content-length: {len(content)}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content[: sent.cut_after])
        await writer.drain()
        return sent.cut_after is None

    def _trouble(self) -> str | None:
        if self._queue:
            return self._queue.popleft()
        return self._rng.choice(self.troubles) if self._rng.random() < self.share else None


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    """Reads the next request of a connection; None at its end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    at = time.monotonic()
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(first.split()[1], headers, json.loads(content) if content else {}, at)


def main() -> None:
    """Runs the server until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds per reply")
    server = HostileServer(parser.parse_args().delay)
    server.keep = False
    with server.running():
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
