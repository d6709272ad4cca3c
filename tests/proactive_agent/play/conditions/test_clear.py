"""The condition `clear`: asking for help that is not needed."""

import asyncio

import pytest

from proactive_agent.play.protocols import Protocol
from proactive_agent.scenarios import OWN, SCENARIOS
from tests.proactive_agent.scripted import Mcqa, Scripted, ToolUse, call, play, sample_of, texts

LEFT = call("move_object", direction="left")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_tools_are_those_of_the_first_state(scenario: str) -> None:
    clear, needed = Scripted("?"), Scripted("?")
    shown = asyncio.run(play(scenario, clear, ToolUse(), "clear"))
    occluded = asyncio.run(play(scenario, needed, ToolUse()))
    assert shown.turns[0].tools == occluded.turns[0].tools
    assert shown.turns[0].image != occluded.turns[0].image


def test_the_options_are_those_of_the_first_state() -> None:
    episode = asyncio.run(play("rod", Scripted("Z"), Mcqa(), "clear"))
    assert episode.turns[0].options == [*sample_of("rod").options, *sample_of("rod").categories]
    assert episode.turns[0].prompt.startswith(sample_of("rod").prompt)


@pytest.mark.parametrize(
    ("protocol", "reply"),
    [
        (ToolUse(), LEFT),
        (ToolUse(), call("ask_clarification", question="Please move the block to the left.")),
        (ToolUse(), "Could you move the block to the left?"),
        (Mcqa(), next(o for o in sample_of("rod").options if "to the left" in o)),
    ],
    ids=["call", "question", "text", "option"],
)
def test_to_ask_is_over_asking(protocol: Protocol, reply: object) -> None:
    episode = asyncio.run(play("rod", Scripted(reply), protocol, "clear", forgiving=True))
    assert episode.turns[0].verdict.suggestion == "wrong"
    assert episode.turns[0].action.kind == "intervention"
    assert episode.outcome.model_dump() == {
        "correct": False, "stop": "invalid", "suggestions": 0, "turns": 1,
    }  # fmt: skip
    assert episode.fewest is None


@pytest.mark.parametrize("protocol", [ToolUse(), Mcqa()], ids=["tools", "mcqa"])
def test_the_right_category_is_right(protocol: Protocol) -> None:
    provider = Scripted(sample_of("rod").answer)
    assert asyncio.run(play("rod", provider, protocol, "clear")).outcome.correct


def test_a_hint_can_tempt() -> None:
    provider = Scripted("Z")
    episode = asyncio.run(play("rod", provider, Mcqa(), "clear+hint"))
    question = sample_of("rod").prompt
    assert texts(provider.requests[0])[0].startswith(f"{question} {OWN.hint('rod')}")
    assert episode.condition == "clear+hint"
