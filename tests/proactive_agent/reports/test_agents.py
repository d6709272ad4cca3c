"""Tables keep agents apart from models and say whether the agents were isolated."""

from dataclasses import replace
from typing import Any

import pytest

from proactive_agent import UserError, evaluate
from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.agents import agent_notes
from proactive_agent.reports.comparison.grids import grids
from proactive_agent.reports.comparison.report import make_report
from proactive_agent.reports.departures import departure_notes
from tests.proactive_agent.reports.comparison.playing import answers, played

COMMAND = "agent:claude -p '{prompt}' {url}"


def agent(isolated: str = "unknown", **changes: Any) -> PlayedRun:
    run = played("agent", answers("1"), provider=COMMAND, protocol="tools",
                 provider_settings={"isolated": isolated})  # fmt: skip
    facts = {"client": "claude-code 2.1", "mcp": "2025-11-25", **changes}
    return replace(run, manifest=run.manifest.model_copy(update={"provider": facts}))


def model() -> PlayedRun:
    return played("model", answers("1"), provider="openai:a", protocol="tools")


def test_every_table_says_whether_an_agent_was_isolated() -> None:
    told = {
        isolated: agent_notes([agent(isolated).manifest]) for isolated in ("yes", "no", "unknown")
    }
    client = "agent:claude played over MCP with the client claude-code 2.1."
    cheats = "so it may have read the answers on the disk."
    assert told == {
        "yes": [client],
        "no": [client, f"Warning: agent:claude was not isolated, {cheats}"],
        "unknown": [client, f"Warning: agent:claude was not stated to be isolated, {cheats}"],
    }
    assert agent_notes([model().manifest]) == []
    for notes in (
        departure_notes([agent()]),
        make_report([agent()], None, with_published=False).notes,
    ):
        assert set(told["unknown"]) <= set(notes)


def test_agents_and_models_are_grouped_apart() -> None:
    report = make_report([model(), agent("yes")], None, with_published=False)
    assert report.notes[0].startswith("Warning: agents and models are shown together.")
    first = grids(report)[0]
    assert [group.heading for group in first.groups] == ["models", "agents"]
    assert agent().method == "tools, zero-shot, agents"


def test_a_budget_cannot_limit_an_agent() -> None:
    with pytest.raises(UserError, match="a budget cannot limit agent:claude"):
        evaluate(COMMAND, scenarios="rod", limit=1, budget_usd=1.0)
