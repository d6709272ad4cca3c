"""Vague questions are a kind of action in metrics, descriptions, groups and views."""

import asyncio

import pytest

from proactive_agent.metrics import summarise
from proactive_agent.records.describe import call_result, short_steps_of, steps_of, verdict_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.failures import group
from proactive_agent.records.outline import outline_of
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.views.describe import styled_verdict
from proactive_agent.views.html.steps import turn_outcome
from tests.proactive_agent.scripted import Say, Scripted, call, play, sample_of

LEFT = call("move_object", direction="left")
VAGUE = call("ask_clarification", question="I need a clearer picture.")
WRONG = call("answer", category=sample_of("rod").categories[0].removesuffix("."))
RIGHT = call("answer", category=sample_of("rod").answer.removesuffix("."))


def played(*replies: Say, condition: str = "zero-shot") -> EpisodeRecord:
    return asyncio.run(play("rod", Scripted(*replies), condition=condition))


def test_vague_turns_are_a_share_of_their_own_and_do_not_raise_psr() -> None:
    rates = summarise([outline_of(played(VAGUE, VAGUE, LEFT, RIGHT))]).scenarios["rod"]
    assert rates.vague.value == 0.5
    assert rates.proactive.value == 0.25
    assert rates.psr.value == 1
    assert rates.asked_at_once.value == 1
    assert rates.actions.vague == 2


def test_vague_questions_are_described() -> None:
    episode = played(VAGUE, "Can you help me?", RIGHT)
    first, second, _ = episode.turns
    assert steps_of(episode).startswith("ask_clarification: vague → vague → answer")
    assert short_steps_of(episode).startswith("ask vague → say vague → ")
    for turn in (first, second):
        words = (call_result(episode, turn), verdict_of(episode, turn))
        assert {*words, styled_verdict(episode, turn).plain} == {"asked what to do"}
    assert {turn_outcome(episode, turn) for turn in (first, second)} == {"asked vaguely"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_vague_questions_to_the_end_raise_no_score(scenario: str) -> None:
    endless = asyncio.run(play(scenario, Scripted(*[VAGUE] * 5000)))
    answer = call("answer", category=sample_of(scenario).answer)
    late = [*[VAGUE] * (len(endless.turns) - 1), answer]
    for episode in (endless, asyncio.run(play(scenario, Scripted(*late)))):
        rates = summarise([outline_of(episode)]).scenarios[scenario]
        assert (rates.informed.value, rates.psr.value, rates.suggestions.value) == (0, 0, 0)
        assert rates.at_limit.value == (episode is endless)
        assert len({turn.image.path for turn in episode.turns}) == 1


def test_a_vague_question_does_not_make_the_category_count_on_the_hidden_object() -> None:
    """In `rod` no category counts before the blocks have been moved."""
    episode = played(VAGUE, RIGHT)
    assert not episode.outcome.correct
    assert verdict_of(episode, episode.turns[1]).startswith("right, but by luck")


@pytest.mark.parametrize(("condition", "name"), [("zero-shot", "vague"), ("clear", "over-asked")])
def test_an_episode_that_ends_with_a_vague_question_has_a_group(condition: str, name: str) -> None:
    found = group(played(*[VAGUE] * 50, condition=condition))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I cannot tell what it is. Please show me a clearer picture.", "vague"),
        ("I'm not sure, I would need a better view of it.", "vague"),
        ("I cannot tell what it is.", "abstain"),
        ("I'm unable to help with that.", "intervention"),
        ("I am happy to help!", "intervention"),
        ("How can I help you today?", "intervention"),
        ("The picture is clear and shows more of the room.", "intervention"),
    ],
)
def test_a_message_is_vague_only_if_it_wishes_for_something(said: str, kind: str) -> None:
    """The kind `intervention` stands for a message that asks for nothing that helps."""
    assert played(said, RIGHT).turns[0].action.kind == kind
