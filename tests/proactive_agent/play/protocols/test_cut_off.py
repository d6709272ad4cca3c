"""A reply that the token limit cut off says so in every protocol; it is scored as it stands."""

import asyncio

import pytest

from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers import Reply
from proactive_agent.records.failures import group
from proactive_agent.tools import ToolCall
from tests.proactive_agent.scripted import Scripted, play, sample_of

HALF_A_CALL = (ToolCall("answer", '{"category": "ca', "1"),)


@pytest.mark.parametrize(
    ("protocol", "reply"),
    [
        (ToolUse(), Reply("", finish_reason="length")),
        (ToolUse(), Reply("", HALF_A_CALL, finish_reason="length")),
        (Mcqa(), Reply("", finish_reason="length")),
        (Mcqa(), Reply("The picture shows a", finish_reason="length")),
    ],
)
def test_a_reply_without_an_answer_is_cut_off(protocol: Protocol, reply: Reply) -> None:
    episode = asyncio.run(play("rod", Scripted(reply), protocol))
    assert (episode.error, episode.outcome.correct) == (None, False)
    (turn,) = episode.turns
    assert (turn.action.kind, turn.action.why) == ("invalid", "cut_off")
    found = group(episode)
    assert found is not None
    assert found.name == "cut-off"


def test_a_whole_answer_at_the_limit_counts_as_an_answer() -> None:
    sample = sample_of("vsod")
    reply = Reply(f"{sample.answer}", finish_reason="length")
    episode = asyncio.run(play("vsod", Scripted(reply), Mcqa()))
    assert episode.outcome.correct


def test_the_same_half_call_without_the_limit_is_bad_json() -> None:
    episode = asyncio.run(play("rod", Scripted(Reply("", HALF_A_CALL))))
    assert episode.turns[0].action.why == "bad_json"
