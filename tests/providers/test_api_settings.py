"""Settings that a user adds to every request."""

import dataclasses
import json
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.providers import ProviderOptions, Sampling, ServedBy, create_provider
from proactive_agent.tools import UserError
from tests.providers.api_asking import (
    AT_ONCE,
    PROTOCOLS,
    ask,
    failed,
    first_turn,
    provider,
    replied,
    server,
)
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

SECRET = "sk-from-the-environment-0123"
ROUTING = {"provider": {"order": ["x"]}, "chat_template_kwargs": {"enable_thinking": False}}


SHORT = Sampling(100)


def sent(
    server: HostileServer, protocol: str, sampling: Sampling = SHORT, **options: Any
) -> dict[str, Any]:
    """The body that one request with these settings sends."""
    made = provider(protocol, server.url, **options)
    replied(*ask(made, first_turn(sampling=sampling)))
    return server.received[-1].body


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_extra_fields_are_part_of_the_body(protocol: str, server: HostileServer) -> None:
    body = sent(server, protocol, extra_body=json.dumps(ROUTING))
    assert {field: body[field] for field in ROUTING} == ROUTING


def test_extra_fields_reach_anthropic_through_litellm(server: HostileServer) -> None:
    spec = f"litellm:anthropic/m@{server.url.removesuffix('/v1')}"
    options = ProviderOptions(extra_body='{"service_tier": "auto"}', access=AT_ONCE)
    replied(*ask(create_provider(spec, options), first_turn()))  # type: ignore[arg-type]
    body = server.received[0].body
    assert body["service_tier"] == "auto"
    assert "extra_body" not in body
    with pytest.raises(UserError, match="does not pass on the field 'mock_response'"):
        create_provider(spec, dataclasses.replace(options, extra_body='{"mock_response": "x"}'))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_top_p_and_top_k_are_sent(protocol: str, server: HostileServer) -> None:
    body = sent(server, protocol, Sampling(100, 0.5, top_p=0.9, top_k=5))
    assert (body["top_p"], body["top_k"]) == (0.9, 5)


@pytest.mark.parametrize("protocol", ["chat", "litellm"])
def test_a_seed_is_sent_with_every_request(protocol: str, server: HostileServer) -> None:
    assert sent(server, protocol, api_seed=7)["seed"] == 7
    assert sent(server, protocol, Sampling(100, 0.5))["seed"] == 0
    assert "seed" not in sent(server, protocol)


def test_responses_has_no_seed(server: HostileServer) -> None:
    with pytest.raises(UserError, match="the Responses API has no seed"):
        provider("responses", server.url, api_seed=7)


@pytest.mark.parametrize("protocol", ["chat", "responses", "litellm"])
def test_the_detail_of_pictures_is_sent(protocol: str, server: HostileServer) -> None:
    body = sent(server, protocol, image_detail="high")
    picture = (body.get("messages") or body["input"])[0]["content"][0]
    assert (picture if protocol == "responses" else picture["image_url"])["detail"] == "high"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_headers_come_from_the_environment_and_stay_secret(
    protocol: str, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", SECRET)
    header = ("X-Title=study", "X-Api-Key=$MINE", "X-Both=a ${MINE}")
    made = provider(protocol, server.url, header=header)
    replied(*ask(made, first_turn()))
    headers = server.received[0].headers
    assert headers["x-title"] == "study"
    assert headers["x-api-key"] == SECRET
    assert headers["x-both"] == f"a {SECRET}"
    assert SECRET not in str(made.manifest())


def test_a_secret_header_is_not_in_an_error(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "no such field")
    server.then("400")
    made = provider("chat", server.url, header=("X-A=$MINE",))
    assert str(failed(*ask(made, first_turn()))) == "HTTP 400: messages: [MINE]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra_body": "{"}, "--extra-body is not JSON"),
        ({"extra_body": '{"top_a": NaN}'}, "--extra-body is not JSON: NaN"),
        ({"extra_body": '{"top_a": 1e999}'}, "--extra-body is not JSON: 1e999"),
        ({"extra_body": "[1]"}, "expected a JSON object"),
        ({"extra_body": '{"temperature": 1}'}, "use --temperature"),
        ({"extra_body": '{"messages": []}'}, "the program writes this field"),
        ({"header": ("X",)}, "expected NAME=VALUE"),
        ({"header": ("X Y=1",)}, "expected NAME=VALUE"),
        ({"header": ("X=1\n",)}, "line break"),
        ({"header": ("X=$NOT_SET_ANYWHERE",)}, "NOT_SET_ANYWHERE is not set"),
        ({"header": ("X-Api-Key=sk-written-out",)}, "put it into an environment variable"),
    ],
)
def test_faulty_settings_are_wrong_input(
    options: dict[str, Any], message: str, server: HostileServer
) -> None:
    with pytest.raises(UserError, match=message) as error:
        provider("chat", server.url, **options)
    assert "sk-written-out" not in str(error.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_names_what_served_it(protocol: str, server: HostileServer) -> None:
    server.then("through a gateway")
    reply = replied(*ask(provider(protocol, server.url), first_turn()))
    assert reply.served == ServedBy("m-2026", "fp_1", "Upstream")


@pytest.mark.parametrize("generation", ["checkpoint", "published"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_apis_own_defaults_apply_with_another_generation(
    protocol: str, generation: Any, server: HostileServer
) -> None:
    body = sent(server, protocol, Sampling(100, generation=generation))
    assert {"temperature", "top_p", "top_k"} & set(body) == set()
    assert "temperature" in sent(server, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_settings_of_generation_are_the_fields_that_are_sent(
    protocol: str, server: HostileServer
) -> None:
    sampling = Sampling(100, temperature=0.5, thinking_tokens=0, top_p=0.9)
    made = provider(protocol, server.url, extra_body='{"min_p": 0.1}')
    named = made.generation_settings(sampling)
    body = sent(server, protocol, sampling, extra_body='{"min_p": 0.1}')
    assert named == {name: body[name] for name in named}
    assert {"temperature", "top_p", "min_p"} < set(named)
    assert any("tokens" in name for name in named)
    assert not {"messages", "input", "model", "seed"} & set(named)
