"""Request bodies, compared byte by byte with reviewed files, except for the pictures.

UPDATE_GOLDEN=1 python -m pytest tests/providers/test_api_bodies.py     # rewrites them
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.providers import (
    AssistantMessage,
    ProviderOptions,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    ToolMessage,
    UserMessage,
    create_provider,
)
from proactive_agent.providers.api.openai import OpenAI
from proactive_agent.providers.api.provider import ApiProvider
from proactive_agent.providers.api.server import ApiTarget
from proactive_agent.tools import ToolCall, UserError
from proactive_agent.tools.texts import IMAGE_FOLLOWS
from tests.providers.api_asking import (
    AT_ONCE,
    CALL,
    PROTOCOLS,
    ask,
    failed,
    first_turn,
    picture,
    provider,
    replied,
    second_turn,
    server,
)
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

GOLDEN = Path(__file__).parent / "golden"
MULTIPLE_CHOICE = Request(
    RequestKey("rod", 0, 0),
    (UserMessage((picture(), TextPart("What is it?\nA. Cat.\nB. Dog."))),),
    sampling=Sampling(8),
)


def without_pictures(value: Any) -> Any:
    """Replaces encoded pictures, which depend on the version of Pillow."""
    if isinstance(value, dict):
        return {k: "<data>" if k == "data" else without_pictures(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_pictures(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return value.split(",")[0] + ",<data>"
    return value


def check(name: str, server: HostileServer) -> None:
    found = [
        {"path": received.path, "body": without_pictures(received.body)}
        for received in server.received
    ]
    file = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(file.read_text())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_episode_and_a_multiple_choice(protocol: str, server: HostileServer) -> None:
    ask(provider(protocol, server.url), first_turn(), second_turn(text="Hm."), MULTIPLE_CHOICE)
    check(protocol, server)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_episode_of_a_model_that_thinks(protocol: str, server: HostileServer) -> None:
    how = {"sampling": Sampling(100, 0.7), "seed": 2**40 + 5}
    server.then("thinking")
    reply = replied(*ask(provider(protocol, server.url, reasoning="low"), first_turn(**how)))
    thinker = provider(protocol, server.url, reasoning="low", image_format="webp")
    ask(thinker, second_turn(reply.opaque, **how))
    check(f"{protocol}_thinking", server)


def test_an_episode_through_litellm_to_anthropic(server: HostileServer) -> None:
    address = server.url.removesuffix("/v1")
    made = create_provider(f"litellm:anthropic/m@{address}", ProviderOptions(access=AT_ONCE))
    ask(made, first_turn(), second_turn())  # type: ignore[arg-type]
    check("litellm_anthropic", server)


@pytest.mark.parametrize("adapter", ["anthropic:", "litellm:anthropic/"])
@pytest.mark.parametrize(
    ("model", "effort", "thinking", "limit"),
    [
        ("claude-sonnet-4-5", "low", {"type": "enabled", "budget_tokens": 4096}, 4196),
        ("claude-3-7-sonnet-20250219", "max", {"type": "enabled", "budget_tokens": 24576}, 24676),
        ("claude-opus-4-6", "high", "adaptive", 100 + 16384),
        ("claude-opus-4-6", "none", None, 100),
    ],
)
def test_claude_thinks_as_its_version_does(
    adapter: str, model: str, effort: str, thinking: Any, limit: int, server: HostileServer
) -> None:
    address = server.url.removesuffix("/v1")
    options = ProviderOptions(reasoning=effort, access=AT_ONCE)
    made = create_provider(f"{adapter}{model}@{address}", options)
    assert isinstance(made, ApiProvider)
    replied(*ask(made, first_turn()))
    (received,) = server.received
    sent = received.body.get("thinking")
    assert (sent["type"] if thinking == "adaptive" else sent) == thinking
    assert received.body["max_tokens"] == limit
    assert ("temperature" in received.body) == (effort == "none")
    effort_sent = received.body.get("output_config", {}).get("effort")
    assert effort_sent == ("high" if thinking == "adaptive" else None)


def test_a_budget_has_at_least_what_anthropic_accepts(server: HostileServer) -> None:
    made = provider("messages", server.url, reasoning="low")
    made.left_out.add("adaptive")  # as after a refusal
    ask(made, first_turn(sampling=Sampling(100, thinking_tokens=10)))
    body = server.received[0].body
    assert (body["thinking"]["budget_tokens"], body["max_tokens"]) == (1024, 1124)


def test_an_effort_that_anthropic_does_not_have_is_wrong_input(server: HostileServer) -> None:
    with pytest.raises(UserError, match="expected one of none, low, medium, high, xhigh, max"):
        provider("messages", server.url, reasoning="minimal")


@pytest.mark.parametrize("protocol", ["chat", "litellm"])
def test_thoughts_return_with_the_call_that_they_led_to(
    protocol: str, server: HostileServer
) -> None:
    server.then("thinking")
    made = provider(protocol, server.url)
    opaque = {"reasoning_content": "Hm."}
    ask(made, first_turn(), second_turn(opaque))
    assert server.received[1].body["messages"][1]["reasoning_content"] == "Hm."


def test_a_server_that_rejects_thoughts_gets_none(server: HostileServer) -> None:
    opaque = {"reasoning_content": "Hm."}
    server.then("thoughts refused")
    made = provider("chat", server.url)
    for reply in ask(made, second_turn(opaque), second_turn(opaque)):
        replied(reply)
    sent = ["reasoning_content" in received.body["messages"][1] for received in server.received]
    assert sent == [True, False, False]


@pytest.mark.parametrize(
    ("model", "api", "fields"),
    [
        ("gpt-4.1", "auto", {"messages", "max_completion_tokens", "temperature",
                             "parallel_tool_calls"}),
        ("gpt-4.1", "responses", {"input", "max_output_tokens", "temperature", "store", "stream",
                                  "parallel_tool_calls"}),
        ("gpt-5-mini", "auto", {"input", "max_output_tokens", "store", "stream", "include",
                                "parallel_tool_calls"}),
        ("o3", "auto", {"input", "max_output_tokens", "store", "stream", "include"}),
        ("o3", "chat", {"messages", "max_completion_tokens"}),
        ("gpt-5-chat-latest", "auto", {"messages", "max_completion_tokens", "temperature",
                                       "parallel_tool_calls"}),
    ],
)  # fmt: skip
def test_openais_own_models_get_what_they_take(
    model: str, api: Any, fields: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-sent-anywhere")
    made = OpenAI(ApiTarget(model), ProviderOptions(api=api))
    request = first_turn()
    key = request.messages[0].content[0].key  # type: ignore[union-attr]
    encoded = {key: made._encoder.encode(picture())}
    assert set(made.body(request, encoded)) == fields | {"model", "tools"}


@pytest.mark.parametrize("protocol", ["chat", "litellm"])
def test_pictures_follow_after_all_results_of_a_turn(protocol: str, server: HostileServer) -> None:
    other = ToolCall("move_object", '{"direction": "right"}', "call_1")
    messages = (
        *first_turn().messages,
        AssistantMessage("", (CALL, other)),
        ToolMessage(CALL, (TextPart("Left."), picture("blue"))),
        ToolMessage(other, (TextPart("Right."), picture("green"))),
    )
    ask(provider(protocol, server.url), Request(RequestKey("rod", 0, 1), messages))
    sent = server.received[0].body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user"]
    kinds = [part.get("text", "picture") for part in sent[-1]["content"]]
    assert kinds == [IMAGE_FOLLOWS, "picture", IMAGE_FOLLOWS, "picture"]


def test_anthropic_gets_all_results_of_a_turn_in_one_message(server: HostileServer) -> None:
    other = ToolCall("move_object", '{"direction": "right"}', "call_1")
    messages = (
        *first_turn().messages,
        AssistantMessage("", (CALL, other)),
        ToolMessage(CALL, (TextPart("Left."), picture("blue"))),
        ToolMessage(other, (TextPart(" "), picture("green"))),
    )
    ask(provider("messages", server.url), Request(RequestKey("rod", 0, 1), messages))
    last = server.received[0].body["messages"][-1]
    kinds = [[part["type"] for part in result["content"]] for result in last["content"]]
    assert kinds == [["text", "image"], ["image"]], "an empty text is refused by the API"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_turn_of_the_model_is_refused(protocol: str, server: HostileServer) -> None:
    messages = (*first_turn().messages, AssistantMessage(""), *first_turn().messages)
    (error,) = ask(provider(protocol, server.url), Request(RequestKey("rod", 0, 1), messages))
    assert failed(error).kind == "bad_request"
    assert server.received == []


def test_anthropic_is_not_sent_arguments_that_are_no_object(server: HostileServer) -> None:
    broken = ToolCall("move_object", '{"direction": lef', "call_0")
    messages = (*first_turn().messages, AssistantMessage("", (broken,)))
    (error,) = ask(provider("messages", server.url), Request(RequestKey("rod", 0, 1), messages))
    assert "not a JSON object" in str(failed(error))
    assert server.received == []
