"""Room for thinking, and fields that a model refuses: requests adapt to the model."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.providers import (
    ApiAccess,
    AssistantMessage,
    ProviderError,
    ProviderOptions,
    Reply,
    Request,
    Sampling,
    ServedBy,
    ToolMessage,
    create_provider,
)
from proactive_agent.providers.api.provider import PROBE_TOKENS, ApiProvider
from proactive_agent.providers.api.thinking import planned_room
from proactive_agent.tools import UserError
from tests.providers.api_asking import (
    AT_ONCE,
    PROTOCOLS,
    ask,
    failed,
    first_turn,
    provider,
    replied,
    second_turn,
    server,
)  # fmt: skip
from tests.providers.hostile_server import OVERFLOWS, HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

# Room for thinking -------------------------------------------------------------------------------


SHORT = Sampling(100)


def probed(made: ApiProvider, *requests: Request, sampling: Sampling = SHORT) -> None:
    """Probes a model, asks requests and closes it."""

    async def work() -> None:
        try:
            await made.probe(sampling)
            for request in requests:
                await made.complete(request)
        finally:
            await made.close()

    asyncio.run(work())


def limits(server: HostileServer) -> list[int]:
    """The limits of the requests that the server received."""
    fields = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    return [
        next(received.body[field] for field in fields if field in received.body)
        for received in server.received
    ]


LIMITS = {"chat": "max_tokens", "responses": "max_output_tokens"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_model_that_thinks_in_its_probe_gets_room(protocol: str, server: HostileServer) -> None:
    probed(provider(protocol, server.url), first_turn())
    field = LIMITS.get(protocol, "max_tokens")
    limits = [received.body[field] for received in server.received]
    assert limits == [PROBE_TOKENS + 8192, 100 + 8192]


def test_a_model_that_does_not_think_in_its_probe_gets_room(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("thinker",)
    made = provider("chat", server.url)
    probed(made, first_turn())
    assert limits(server) == [PROBE_TOKENS + 8192, 100 + 8192]
    assert made.learnt()["thinks"] is True


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_room_does_not_extend_the_answer(protocol: str, server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("chatterbox",)
    made = provider(protocol, server.url)
    outcomes = ask(made, first_turn(), first_turn())
    assert limits(server) == [100 + 8192, 100, 100]
    assert made.learnt()["thinks"] is False
    for reply in map(replied, outcomes):
        assert (len(reply.text.split()), reply.finish_reason) == (100, "length")
        assert reply.thinking_room == 0
    usage = [replied(reply).usage.output_tokens for reply in outcomes]
    assert usage == [1000 + 100, 100], "the discarded reply was paid for"


@pytest.mark.parametrize("trouble", ["thinker", "hidden thinker"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_that_thinking_used_up_is_asked_again_with_room(
    protocol: str, trouble: str, server: HostileServer
) -> None:
    server.share, server.troubles = 1.0, (trouble,)
    made = provider(protocol, server.url)
    made.thinking.thinks = False  # as if a reply without thoughts had been too long
    (outcome,) = ask(made, first_turn())
    assert limits(server) == [100, 100 + 8192]
    reply = replied(outcome)
    assert reply.tool_calls
    assert reply.thinking_room == 8192
    assert made.learnt()["thinks"] is True


def test_the_room_that_was_asked_for_is_given(server: HostileServer) -> None:
    sampling = Sampling(100, thinking_tokens=7)
    probed(provider("chat", server.url), first_turn(sampling=sampling), sampling=sampling)
    assert [received.body["max_tokens"] for received in server.received] == [PROBE_TOKENS + 7, 107]


@pytest.mark.parametrize("api", OVERFLOWS)
def test_the_room_shrinks_to_what_the_message_says(api: str, server: HostileServer) -> None:
    server.share, server.troubles = 1.0, (f"context of {api}",)
    made = provider("chat", server.url)
    probed(made, first_turn())
    fits = 4096 - 1000
    assert limits(server) == [PROBE_TOKENS + 8192, fits, 100 + fits - PROBE_TOKENS, fits]
    assert "max_tokens" not in made.learnt()["left_out"]


def test_without_numbers_the_room_is_halved_until_it_fits(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("context without numbers",)
    (outcome,) = ask(provider("chat", server.url), first_turn())
    assert limits(server) == [100 + room for room in (8192, 4096, 2048)]
    assert replied(outcome).thinking_room == 2048


def test_a_room_that_fits_is_not_sought_again(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("context without numbers",)
    made = provider("chat", server.url, reasoning="low")
    ask(made, first_turn(), first_turn(), second_turn())
    assert limits(server) == [100 + room for room in (4096, 2048, 2048, 2048)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_prompt_that_does_not_fit_is_an_error(protocol: str, server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("context overflow",)
    (outcome,) = ask(provider(protocol, server.url), first_turn())
    assert failed(outcome).kind == "context_overflow"
    assert limits(server)[-1] == 100


def test_a_room_that_was_asked_for_is_not_given_up(server: HostileServer) -> None:
    server.then("context overflow")
    sampling = Sampling(100, thinking_tokens=7)
    probed(provider("chat", server.url), first_turn(sampling=sampling), sampling=sampling)
    assert [received.body["max_tokens"] for received in server.received] == [PROBE_TOKENS + 7, 107]


@pytest.mark.parametrize(
    ("spec", "effort", "room"),
    [
        ("openai:gpt-4.1", None, 0),
        ("openai:gpt-5", None, 8192),
        ("openai:gpt-5.1", None, 0),
        ("openai:o3", "low", 4096),
        ("anthropic:claude-sonnet-4-5", None, 0),
        ("anthropic:claude-sonnet-4-5", "high", 16384),
        ("anthropic:claude-opus-5", None, 8192),
        ("litellm:gemini/gemini-2.5-pro", None, 8192),
        ("litellm:anthropic/claude-sonnet-4-5", None, 0),
        ("litellm:deepseek/deepseek-reasoner", None, 8192),
        ("openai:m@http://localhost:1/v1", None, None),
        ("openai:m@http://localhost:1/v1", "medium", 8192),
    ],
)
def test_the_room_is_known_before_the_run(spec: str, effort: str | None, room: int | None) -> None:
    assert planned_room(spec, Sampling(), effort) == room


# Fields that a model refuses ---------------------------------------------------------------------


def test_several_fields_can_be_refused_one_after_another(server: HostileServer) -> None:
    server.then("temperature refused", "max_tokens refused")
    made = provider("chat", server.url)
    probed(made, first_turn())
    assert {"temperature", "max_tokens"}.isdisjoint(server.received[3].body)
    assert made.manifest()["left_out"] == ["max_tokens", "temperature"]


@pytest.mark.parametrize(
    ("trouble", "protocol", "gone", "instead"),
    [
        ("max_tokens refused", "chat", "max_tokens", "max_completion_tokens"),
        ("max_tokens refused", "litellm", "max_tokens", "max_completion_tokens"),
        ("encryption refused", "responses", "include", "store"),
    ],
)
def test_what_the_probe_finds_refused_is_remembered(
    trouble: str, protocol: str, gone: str, instead: str, server: HostileServer
) -> None:
    server.then(trouble)
    made = provider(protocol, server.url)
    probed(made, first_turn())
    assert [gone in received.body for received in server.received] == [True, False, False]
    assert instead in server.received[2].body
    assert made.manifest()["left_out"] == [gone]


def test_a_field_that_is_refused_in_mid_run_is_learnt_there(server: HostileServer) -> None:
    server.then("500", None)  # The probe learns nothing.
    server.share, server.troubles = 1.0, ("max_tokens refused always",)
    made = provider("chat", server.url, ApiAccess(tries=1, timeout=30.0))
    server.delay = 0.02

    async def work() -> list[Reply]:
        assert await made.probe(SHORT) is None
        await made.complete(first_turn())
        replies = await asyncio.gather(*(made.complete(first_turn()) for _ in range(3)))
        await made.close()
        return replies

    assert all(reply.tool_calls for reply in asyncio.run(work()))
    assert made.manifest()["left_out"] == ["max_tokens"]
    assert len(server.received) == 2 + 3 + 3, "each of the requests in flight is repeated once"


def test_a_limit_that_is_refused_as_a_field_is_not_lowered(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("max_tokens refused always",)
    made = provider("messages", server.url)
    (outcome,) = ask(made, first_turn())
    assert failed(outcome).kind == "bad_request"
    assert limits(server) == [100 + 8192]


def test_a_refused_field_that_is_not_sent_is_an_error(server: HostileServer) -> None:
    server.then("temperature refused", "temperature refused")
    made = provider("chat", server.url)
    (outcome,) = ask(made, first_turn())
    assert failed(outcome).kind == "bad_request"
    assert made.learnt()["left_out"] == ["temperature"]


@pytest.mark.parametrize("protocol", ["chat", "responses", "litellm"])
def test_a_model_that_refuses_to_call_one_tool_at_a_time_is_not_asked_to(
    protocol: str, server: HostileServer
) -> None:
    server.share, server.troubles = 1.0, ("parallel calls refused",)
    made = provider(protocol, server.url)
    for outcome in ask(made, first_turn(), first_turn()):
        assert replied(outcome).tool_calls
    assert len(server.received) == 3
    assert "parallel_tool_calls" in made.learnt()["left_out"]


def test_a_claude_that_refuses_an_effort_gets_a_budget(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("adaptive refused",)
    made = provider("messages", server.url, reasoning="low")
    for outcome in ask(made, first_turn(), first_turn()):
        assert replied(outcome).tool_calls
    kinds = [received.body["thinking"]["type"] for received in server.received]
    assert kinds == ["adaptive", "enabled", "enabled"]
    assert server.received[1].body["thinking"]["budget_tokens"] == 4096


@pytest.mark.parametrize(
    ("protocol", "trouble"),
    [
        ("chat", "wants its thoughts"),
        ("litellm", "wants its thoughts"),
        ("responses", "wants sealed reasoning"),
        ("messages", "wants thinking first"),
    ],
)
def test_thoughts_return_to_a_model_that_needs_them(
    protocol: str, trouble: str, server: HostileServer
) -> None:
    server.share, server.troubles = 1.0, (trouble,)

    async def second(*, with_thoughts: bool) -> Reply:
        made = provider(protocol, server.url, reasoning="low")
        made.left_out.add("adaptive")  # For Anthropic: a budget.
        try:
            first = await made.complete(first_turn())
            return await made.complete(second_turn(first.opaque if with_thoughts else None))
        finally:
            await made.close()

    assert asyncio.run(second(with_thoughts=True)).tool_calls
    with pytest.raises(ProviderError):
        asyncio.run(second(with_thoughts=False))


def test_gemini_in_its_own_format(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "none")
    server.then("gemini's call", "gemini's call", "gemini cut off")
    address = server.url.removesuffix("/v1")
    options = ProviderOptions(reasoning="low", access=AT_ONCE)
    made = create_provider(f"litellm:gemini/gemini-2.5-pro@{address}", options)

    async def play() -> list[Reply]:
        first = await made.complete(first_turn())
        (call,) = first.tool_calls
        turn = second_turn(first.opaque)
        said, result = turn.messages[1:]
        assert isinstance(said, AssistantMessage)
        assert isinstance(result, ToolMessage)
        said, result = replace(said, tool_calls=(call,)), replace(result, call=call)
        second = replace(turn, messages=(turn.messages[0], said, result))
        replies = [first, await made.complete(second), await made.complete(first_turn())]
        await made.close()
        return replies

    first, second, cut = asyncio.run(play())
    assert (first.finish_reason, cut.finish_reason) == ("tool_calls", "length")
    assert (second.usage.output_tokens, second.usage.reasoning_tokens) == (20, 5)
    assert second.served == ServedBy("m-2026")
    body = server.received[1].body
    assert body["generationConfig"]["max_output_tokens"] == 100 + 4096
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user", "user"]
    assert body["contents"][1]["parts"][1]["thoughtSignature"] == "c2lnbmVk"
    assert any("inline_data" in part for part in body["contents"][3]["parts"])


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        ("anthropic/claude-opus-4-6", True),
        ("anthropic/claude-sonnet-4-5", False),
        ("gemini/gemini-3-pro-preview", True),
        ("gemini/gemini-2.5-pro", False),
        ("hosted_vllm/m", False),
    ],
)
def test_litellm_sends_the_effort_that_was_chosen(
    model: str, refused: bool, server: HostileServer
) -> None:
    options = ProviderOptions(reasoning="minimal", access=AT_ONCE)
    error = pytest.raises(UserError, match="use --reasoning low") if refused else nullcontext()
    with error:
        create_provider(f"litellm:{model}@{server.url}", options)
