"""Replies that an API withholds because their tool call is malformed (Groq, `tool_use_failed`)."""

from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.metrics.summary import summarise
from proactive_agent.play.budget import Budget
from proactive_agent.providers import ApiAccess, ProviderOptions, create_provider
from proactive_agent.providers.api.provider import ApiProvider
from proactive_agent.reports.tables.notes import summary_notes
from tests.proactive_agent.api_playing import play, settings
from tests.providers.api_asking import AT_ONCE, ask, first_turn, provider, replied, server
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

WRITTEN = '<function=answer {"category": "Cat."</function>'


def groq_through_litellm(url: str) -> ApiProvider:
    made = create_provider(f"litellm:groq/m@{url}", ProviderOptions(access=AT_ONCE))
    assert isinstance(made, ApiProvider)
    return made


@pytest.mark.parametrize("library", ["openai", "litellm"])
def test_a_withheld_call_is_the_models_own_invalid_call(
    library: str, server: HostileServer
) -> None:
    server.then("withheld call")
    made = provider("chat", server.url) if library == "openai" else groq_through_litellm(server.url)
    reply = replied(*ask(made, first_turn()))
    (call,) = reply.tool_calls
    assert (call.name, call.arguments) == ("", WRITTEN)
    assert reply.finish_reason == "tool_use_failed"
    assert len(server.received) == 1


def test_a_withheld_call_may_be_reported_with_http_200(server: HostileServer) -> None:
    server.then("withheld call in a body")
    (call,) = replied(*ask(provider("chat", server.url), first_turn())).tool_calls
    assert call.arguments == "<function="


@pytest.mark.parametrize(
    ("trouble", "tools", "text"), [("withheld call", (), WRITTEN), ("withheld nothing", None, "")]
)
def test_a_withheld_reply_without_a_call_is_text(
    trouble: str, tools: tuple[()] | None, text: str, server: HostileServer
) -> None:
    server.then(trouble)
    request = first_turn() if tools is None else first_turn(tools=tools)
    reply = replied(*ask(provider("chat", server.url), request))
    assert (reply.text, reply.tool_calls) == (text, ())


def test_a_withheld_call_is_scored_as_wrong_and_counts_toward_the_budget(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, "withheld call")  # The probe is answered.
    budget = Budget(1000.0)
    priced = ApiAccess(price=(100.0, 100.0), first_wait=0.0)
    folder = play(settings(server, limit=1), tmp_path, priced, budget=budget)
    (episode,) = folder.episodes()
    (turn,) = episode.turns
    assert episode.error is None
    assert (turn.action.kind, turn.action.why) == ("invalid", "bad_json")
    assert turn.usage.input_tokens is None
    assert turn.usage.cost_usd
    assert budget.spent >= turn.usage.cost_usd
    notes = summary_notes(summarise([episode]))
    assert f"Cost ${turn.usage.cost_usd:.4f}; some token counts are unknown." in notes
    assert "Finish reasons of the replies: 1 tool_use_failed." in notes
