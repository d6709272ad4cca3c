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
from proactive_agent.providers.api.server import ApiTarget
from proactive_agent.tools import ToolCall
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


@pytest.mark.parametrize(
    ("model", "api", "fields"),
    [
        ("gpt-4.1", "auto", {"messages", "max_completion_tokens", "temperature",
                             "parallel_tool_calls"}),
        ("gpt-4.1", "responses", {"input", "max_output_tokens", "temperature", "store", "stream",
                                  "parallel_tool_calls"}),
        ("gpt-5-mini", "auto", {"input", "max_output_tokens", "store", "stream", "include"}),
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
