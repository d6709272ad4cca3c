"""The condition `history`: a multiple-choice conversation with small pictures."""

import asyncio

from proactive_agent.play.conditions import ConditionOptions
from proactive_agent.providers import AssistantMessage, ImagePart, Request, UserMessage
from proactive_agent.scenarios import DataFolder, ImageRef
from tests.proactive_agent.scripted import Mcqa, Scripted, play, sample_of

LEFT = next(option for option in sample_of("rod").options if "to the left" in option)
WIDE = DataFolder().images.open(ImageRef("Realistic-Occlusion-Dataset/000000/0.webp")).image.size
SMALL = tuple(int(side * (224 / min(WIDE))) for side in WIDE)
"""Sizes as published, rounded down."""
ANSWER = sample_of("rod").answer


def pictures(request: Request) -> list[ImagePart]:
    return [
        part
        for message in request.messages
        if isinstance(message, UserMessage)
        for part in message.content
        if isinstance(part, ImagePart)
    ]


def test_each_turn_is_asked_in_full_after_those_before() -> None:
    provider = Scripted(LEFT, f"{LEFT}", ANSWER)
    episode = asyncio.run(play("rod", provider, Mcqa(), "history"))
    assert [len(request.messages) for request in provider.requests] == [1, 3, 5]
    first, reply, second, again, third = provider.requests[2].messages
    assert (reply, again) == (AssistantMessage(LEFT), AssistantMessage(LEFT))
    prompts = [turn.prompt for turn in episode.turns]
    shown = [
        [part.text for part in message.content if not isinstance(part, ImagePart)]
        for message in (first, second, third)
        if isinstance(message, UserMessage)
    ]
    assert shown == [[prompt] for prompt in prompts]
    assert len({part.key for part in pictures(provider.requests[2])}) == 3
    assert episode.outcome.correct


def test_pictures_are_small_and_the_record_says_so() -> None:
    provider = Scripted(LEFT, ANSWER)
    episode = asyncio.run(play("rod", provider, Mcqa(), "history"))
    sizes = [part.load().size for part in pictures(provider.requests[1])]
    assert sizes == [SMALL, SMALL]
    assert [turn.image.size for turn in episode.turns] == sizes


def test_the_size_is_the_users() -> None:
    options = ConditionOptions(history_size=100)
    episode = asyncio.run(play("coco", Scripted("Z"), Mcqa(), "history", options))
    assert min(episode.turns[0].image.size or ()) == 100
    assert episode.turns[0].image.crop is not None


def test_another_size_is_another_picture() -> None:
    keys = []
    for condition, size in (("zero-shot", 224), ("history", 224), ("history", 100)):
        provider = Scripted("Z")
        options = ConditionOptions(history_size=size)
        asyncio.run(play("rod", provider, Mcqa(), condition, options))
        keys += [part.key for part in pictures(provider.requests[0])]
    assert len(set(keys)) == 3


def test_without_it_no_picture_is_scaled() -> None:
    provider = Scripted("Z")
    episode = asyncio.run(play("rod", provider, Mcqa()))
    (part,) = pictures(provider.requests[0])
    assert part.key == f"{episode.turns[0].image.sha256} None"
