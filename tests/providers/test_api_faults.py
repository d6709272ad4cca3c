"""Failures of API requests and the errors that they become."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.providers import ApiAccess, ProviderOptions, Sampling, StoppedError
from proactive_agent.providers.api.faults import from_status
from proactive_agent.providers.api.finish_reasons import normalised
from proactive_agent.providers.api.provider import ApiProvider
from proactive_agent.providers.registry import create_provider
from tests.providers.api_asking import (
    PROTOCOLS,
    ask,
    failed,
    first_turn,
    provider,
    replied,
    second_turn,
    server,
)
from tests.providers.hostile_server import WRONG, HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

THREE_TRIES = ApiAccess(first_wait=0.0, tries=3, timeout=30.0)

LASTING = {
    "400": "bad_request",
    "404": "not_found",
    "413": "too_large",
    "context overflow": "context_overflow",
    "filtered request": "content_filter",
    "filtered reply": "content_filter",
    "surrogate in an error": "bad_request",
    **dict.fromkeys(WRONG, "malformed"),
}
STOPPING = {
    "401": "auth",
    "expired key": "auth",
    "402": "quota",
    "403": "permission",
    "quota": "quota",
    "gemini per day": "quota",
    "openrouter per day": "quota",
}
PASSING = {
    "408": "timeout",
    "409": "conflict",
    "429": "rate_limit",
    "429 with a wait": "rate_limit",
    "500": "server",
    "503": "overloaded",
    "529": "overloaded",
    "reset": "connection",
    "truncated": "bad_reply",
    "html": "bad_reply",
    "empty choices": "bad_reply",
    "failed upstream": "server",
    "failed upstream, in a body": "server",
    "failed upstream, in words": "server",
    "deep error": "server",
    "gemini per minute": "rate_limit",
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trouble", LASTING)
def test_what_cannot_get_better_is_an_error_at_once(
    trouble: str, protocol: str, server: HostileServer
) -> None:
    server.then(trouble)
    request = first_turn(sampling=Sampling(100, thinking_tokens=0))
    (error,) = ask(provider(protocol, server.url, THREE_TRIES), request)
    assert failed(error).kind == LASTING[trouble]
    assert len(server.received) == 1
    str(error).encode()  # It is written to disk.


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trouble", STOPPING)
def test_what_no_later_request_survives_stops_the_run(
    trouble: str, protocol: str, server: HostileServer
) -> None:
    server.then(trouble)
    made = provider(protocol, server.url, THREE_TRIES)
    with pytest.raises(
        StoppedError, match=f":m: {STOPPING[trouble]}: HTTP 4|/m: {STOPPING[trouble]}: HTTP 4"
    ):
        ask(made, first_turn())
    assert len(server.received) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_asked_again(trouble: str, protocol: str, server: HostileServer) -> None:
    server.then(trouble, trouble)
    (reply,) = ask(provider(protocol, server.url, THREE_TRIES), first_turn())
    assert replied(reply).tool_calls
    assert len(server.received) == 3


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trouble", PASSING)
def test_what_does_not_pass_ends_as_an_error_that_says_how_often_it_was_tried(
    trouble: str, protocol: str, server: HostileServer
) -> None:
    server.then(trouble, trouble, trouble)
    (error,) = ask(provider(protocol, server.url, THREE_TRIES), first_turn())
    # litellm does not distinguish a broken connection from a server error.
    kinds = {PASSING[trouble], "server"} if protocol == "litellm" else {PASSING[trouble]}
    if (protocol, trouble) == ("messages", "failed upstream"):
        kinds = {"overloaded"}
    assert failed(error).kind in kinds
    assert "(tried 3 times)" in str(error)
    assert len(server.received) == 3


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_byte_order_mark_before_a_reply_is_ignored(protocol: str, server: HostileServer) -> None:
    server.then("byte order mark")
    assert replied(*ask(provider(protocol, server.url), first_turn())).tool_calls
    assert len(server.received) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("place", ["alone", "beside choices", "in a choice"])
def test_an_account_failure_in_a_body_stops_the_run(
    place: str, protocol: str, server: HostileServer
) -> None:
    server.then(f"no credit {place}")
    with pytest.raises(StoppedError, match=r"m: quota: HTTP 402: .*Pay first"):
        ask(provider(protocol, server.url, THREE_TRIES), first_turn())
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("protocol", "trouble"),
    [
        *((protocol, "wrong key in a body") for protocol in PROTOCOLS),
        *((protocol, "wrong key in a choice") for protocol in ("chat", "litellm")),
    ],
)
def test_an_account_failure_can_be_named_in_words(
    trouble: str, protocol: str, server: HostileServer
) -> None:
    server.then(trouble)
    with pytest.raises(StoppedError, match="m: auth: "):
        ask(provider(protocol, server.url, THREE_TRIES), first_turn())


def test_an_error_beside_choices_is_not_a_reply(server: HostileServer, tmp_path: Path) -> None:
    access = ApiAccess(cache=str(tmp_path), first_wait=0.0, tries=1, timeout=30.0)
    server.then("overloaded in a body")
    error, after = ask(provider("chat", server.url, access), first_turn(), first_turn())
    assert failed(error).kind == "overloaded"
    assert replied(after).tool_calls, "the error is not in the cache"


@pytest.mark.parametrize("protocol", ["chat", "litellm"])
def test_an_error_without_content_is_none(protocol: str, server: HostileServer) -> None:
    server.then("empty error")
    assert replied(*ask(provider(protocol, server.url), first_turn())).tool_calls


@pytest.mark.parametrize("protocol", ["chat", "litellm"])
def test_an_empty_message_without_a_finish_reason_is_not_a_reply(
    protocol: str, server: HostileServer
) -> None:
    server.then("no message")
    access = ApiAccess(tries=1, timeout=30.0)
    (error,) = ask(provider(protocol, server.url, access), first_turn())
    assert failed(error).kind == "bad_reply"


def test_an_incomplete_response_without_a_reason_is_cut_off(server: HostileServer) -> None:
    server.then("incomplete")
    assert replied(*ask(provider("responses", server.url), first_turn())).cut_off


def test_a_reply_that_the_context_window_cut_off_is_cut_off(server: HostileServer) -> None:
    server.then("context window exceeded")
    reply = replied(*ask(provider("messages", server.url), first_turn()))
    assert (reply.text, reply.finish_reason) == ("The thing in the pic", "length")
    assert len(server.received) == 1, "no other room makes it complete"


def test_thoughts_that_were_not_counted_have_an_unknown_length(server: HostileServer) -> None:
    server.then("uncounted thoughts")
    reply = replied(*ask(provider("chat", server.url), first_turn()))
    assert reply.usage.reasoning_tokens is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("trouble", "text", "finish"),
    [("inline thoughts", "B.", "stop"), ("inline thoughts cut off", "", "length")],
)
def test_thoughts_in_the_text_are_not_part_of_the_reply(
    trouble: str, text: str, finish: str, protocol: str, server: HostileServer
) -> None:
    if (protocol, trouble) == ("litellm", "inline thoughts"):
        text = "\n\nB."  # litellm itself removes complete thoughts.
    server.then(trouble)
    reply = replied(*ask(provider(protocol, server.url), first_turn()))
    assert (reply.text, reply.finish_reason) == (text, finish)
    assert reply.usage.output_tokens == 20
    assert "Maybe A." in str(reply.opaque), "the probe sees that the model thinks"


@pytest.mark.parametrize("protocol", ["chat", "responses", "messages"])
def test_a_conversation_goes_on_after_thoughts_in_the_text(
    protocol: str, server: HostileServer
) -> None:
    server.then("inline thoughts and a call")
    made = provider(protocol, server.url)

    async def play() -> None:
        first = await made.complete(first_turn())
        await made.complete(second_turn(first.opaque, first.text))
        await made.close()

    asyncio.run(play())
    sent = server.received[1].body
    assert "<think>" not in str(sent)
    if protocol == "chat":
        assert sent["messages"][1]["reasoning_content"] == "Hm."


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_hangs_is_left(protocol: str, server: HostileServer) -> None:
    server.then("hanging", None)
    patient = provider(protocol, server.url, ApiAccess(first_wait=0.0, timeout=2.0))
    (reply,) = ask(patient, first_turn())
    assert replied(reply).tool_calls
    assert len(server.received) == 2


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a host that says nothing to an attempt to connect: its queue is full."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_host_that_does_not_answer_is_an_error_before_the_timeout_of_replies(
    protocol: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiProvider, "connect_seconds", 0.1)
    (error,) = ask(provider(protocol, silent), first_turn())
    assert failed(error).kind == "connection"
    assert "the host does not answer" in str(error)
    assert "(tried 2 times)" in str(error)


def test_litellm_waits_no_longer_for_the_host_of_a_company(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiProvider, "connect_seconds", 0.1)
    monkeypatch.setenv("OPENAI_BASE_URL", silent)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    made = create_provider(
        "litellm:openai/gpt-4.1", ProviderOptions(access=ApiAccess(tries=1, timeout=2.0))
    )
    (error,) = ask(made, first_turn())
    assert failed(error).kind == "connection"
    assert "the host does not answer" in str(error)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_is_not_there_is_a_connection_error(protocol: str) -> None:
    with HostileServer().running() as gone:
        url = gone.url
    (error,) = ask(provider(protocol, url, THREE_TRIES), first_turn())
    assert failed(error).kind in (
        {"connection", "server"} if protocol == "litellm" else {"connection"}
    )
    if protocol != "litellm":
        assert "(tried 2 times)" in str(error)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("reply", "calls", "text", "finish"),
    [
        ("broken arguments", ['{"direction": lef'], "", "tool_calls"),
        ("several calls", ['{"direction": "left"}'] * 2, "", "tool_calls"),
        ("call and text", ['{"direction": "left"}'], "Let me look.", "tool_calls"),
        ("text", [], "Please move the block to the left.", "stop"),
        ("length", [], "The thing in the pic", "length"),
        ("call cut off", ['{"direction": lef'], "", "length"),
        ("surrogate in the finish reason", ['{"direction": "left"}'], "", "?"),
    ],
)
def test_what_a_model_wrote_is_kept_as_it_wrote_it(
    reply: str, calls: list[str], text: str, finish: str, protocol: str, server: HostileServer
) -> None:
    server.then(reply)
    found = replied(*ask(provider(protocol, server.url), first_turn()))
    assert [call.arguments for call in found.tool_calls] == calls
    assert (found.text, found.finish_reason) == (text, finish)


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_refusal_in_words_is_the_models_reply(protocol: str, server: HostileServer) -> None:
    server.then("refusal")
    reply = replied(*ask(provider(protocol, server.url), first_turn()))
    assert (reply.text, reply.finish_reason) == ("I cannot help with that.", "refusal")


def test_anthropics_refusal_is_the_apis_filter(server: HostileServer) -> None:
    server.then("refusal")
    assert failed(*ask(provider("messages", server.url), first_turn())).kind == "content_filter"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_apis_own_counts_are_the_usage(protocol: str, server: HostileServer) -> None:
    usage = replied(*ask(provider(protocol, server.url), first_turn())).usage
    counts = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens)
    assert counts == (1000, 20, 400, 5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_was_not_counted_is_unknown(protocol: str, server: HostileServer) -> None:
    server.then("no usage")
    access = ApiAccess(price=(1.0, 1.0))
    usage = replied(*ask(provider(protocol, server.url, access), first_turn())).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (None, None, None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wait_longer_than_our_patience_is_not_waited_for(
    protocol: str, server: HostileServer
) -> None:
    server.then("429 with a long wait")
    error, after = ask(provider(protocol, server.url), first_turn(), first_turn())
    assert failed(error).kind == "rate_limit"
    assert replied(after).tool_calls, "nor is it by those that come later"
    assert len(server.received) == 2


def test_waits_are_read_in_every_form() -> None:
    date = formatdate(time.time() + 50, usegmt=True)
    waits = [
        from_status(429, headers, "{}").wait
        for headers in (
            {"retry-after": "2"},
            {"retry-after-ms": "1500", "retry-after": "2"},
            {"retry-after": date},
            {"retry-after": "soon"},
            {},
        )
    ]
    assert waits[:2] == [2.0, 1.5]
    assert waits[2] == pytest.approx(50, abs=5)
    assert waits[3:] == [None, None]


def test_geminis_wait_stands_in_the_body() -> None:
    body = '{"error": {"details": [{"@type": "RetryInfo", "retryDelay": "34.5s"}]}}'
    assert from_status(429, {}, body).wait == 34.5
    assert from_status(429, {}, json.dumps(body)).wait == 34.5, "litellm quotes the body"
    assert from_status(429, {"retry-after": "2"}, body).wait == 2.0


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"),
        ("MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("SAFETY", "content_filter"),
        ("abort", "error"),
        ("pause_turn", "pause_turn"),
        (None, None),
    ],
)
def test_finish_reasons_have_one_vocabulary(reason: str | None, expected: str | None) -> None:
    assert normalised(reason) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "no"}}', "no"),
        ('{"detail": "no"}', "no"),
        ('{"error": "no"}', "no"),
        ('{"message": "no"}', "no"),
        ("<h1>no</h1>", "<h1>no</h1>"),
        ('{"error": "no\\nand no"}', "no and no"),
        ("", "no message"),
        ('{"odd": 1}', '{"odd": 1}'),
    ],
)
def test_a_servers_message_is_found_in_every_form(body: str, message: str) -> None:
    assert str(from_status(400, {}, body)) == f"HTTP 400: {message}"
