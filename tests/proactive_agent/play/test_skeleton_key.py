"""A constant question that lists every possible change gains nothing over `always-ask`."""

import asyncio
from collections.abc import Sequence
from itertools import islice

import pytest

from proactive_agent.metrics.measures import extra_turns
from proactive_agent.providers import Provider, Reply, create_provider
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.imagenet_c import OPERATIONS
from proactive_agent.tools import Intervention
from proactive_agent.tools.phrases import first_request
from proactive_agent.tools.request_words import REQUESTS
from tests.proactive_agent.scripted import Scripted, call, play

REMEDIES = (
    "move the block to the left or right",
    "rewind the video or let it play on",
    "rotate the object and show it from another angle",
    "remove blur, noise, compression and artifacts, and correct brightness, contrast, saturation "
    "and resolution",
    "add more details to the drawing",
    "move the camera left, right, up, down or farther away",
)
SAMPLES = 3
"""Samples of each scenario."""


def _psr(scenario: str, provider: Provider) -> float:
    data = DataFolder()
    samples = list(islice(data.samples(scenario), SAMPLES))
    episodes = [
        asyncio.run(play(scenario, provider, data=data, sample=sample)) for sample in samples
    ]
    return sum(map(extra_turns, episodes)) / len(episodes)


def _constant(question: str) -> Provider:
    reply: Reply = call("ask_clarification", question=question)
    return Scripted(*[reply] * 5000)


def _questions() -> list[str]:
    orders: list[Sequence[str]] = [
        (*REMEDIES[first:], *REMEDIES[:first]) for first in range(len(REMEDIES))
    ]
    listed = [f"Could you please {', '.join(order[:-1])}, or {order[-1]}?" for order in orders]
    sentences = [". ".join(f"Please {one}" for one in order) for order in orders]
    shared = [
        "Can you give me more details angle video please, less blur?",
        "Could I have more angle details sharper video?",
    ]
    vague = [f"Can you help me to see it better? {listed[0]}", "Can you help me to see it better?"]
    return [*listed, *sentences, *shared, *vague]


@pytest.fixture(scope="module")
def always() -> dict[str, float]:
    return {name: _psr(name, create_provider("baseline:always-ask")) for name in SCENARIOS}


@pytest.mark.parametrize("question", _questions())
def test_no_constant_question_beats_always_ask(question: str, always: dict[str, float]) -> None:
    key = {name: _psr(name, _constant(question)) for name in SCENARIOS}
    # A change helps in at most two scenarios: those with a video.
    assert sum(psr > 0 for psr in key.values()) <= 2
    # A question that repeats one enhancement is a blind guess; see the last test.
    beaten = {name for name in SCENARIOS if key[name] > always[name]}
    assert beaten <= {"imagenet-c"}
    assert sum(key.values()) < sum(always.values()) / 2


@pytest.mark.parametrize(
    ("question", "tools"),
    [
        ("Please give me more details view video, less blur.", {"add_details"}),
        ("Please give me more side details less blur.", {"rotate_object", "move_camera"}),
        ("Please move back a few frames.", {"seek_video"}),
        ("Please go on.", {"seek_video", "add_details"}),
    ],
)
def test_words_that_share_a_verb_are_several_things(question: str, tools: set[str]) -> None:
    """Only one phrase that can mean several tools has several readings."""
    assert {one.tool for one in first_request(question).interventions} == tools


def test_a_fixed_enhancement_is_a_blind_guess_of_one_in_eight() -> None:
    """One of eight is right for each sample, four times in a row: an expected psr of 4/8."""
    data = DataFolder()
    psr = 0.0
    for operation in OPERATIONS:
        question = REQUESTS[Intervention("enhance_image", operation)]
        samples = list(data.samples("imagenet-c"))
        for sample in samples:
            provider = _constant(question)
            psr += extra_turns(asyncio.run(play("imagenet-c", provider, data=data, sample=sample)))
    assert psr / len(OPERATIONS) / len(samples) == 4 / 8
