"""Requests can be pickled, so that another process can answer them."""

import asyncio
import hashlib
import pickle
import subprocess
import sys
from itertools import product
from typing import ClassVar

import pytest

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.conditions.registry import CONDITIONS
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.judges.rules import RulesJudge
from proactive_agent.play.protocols import Mcqa, Oeg, Protocol, ToolUse
from proactive_agent.providers import Provider, Reply, Request, create_provider
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.tools import UserError
from tests.proactive_agent.scripted import sample_of

HASH_IN_ANOTHER_PROCESS = """
import hashlib, pickle, sys
for image in pickle.load(sys.stdin.buffer).images:
    print(hashlib.sha256(image.tobytes()).hexdigest())
"""


class Courier(Provider):
    """Hands the pickled copy of each request to the oracle."""

    sees_environment: ClassVar[bool] = True

    def __init__(self) -> None:
        self.oracle = create_provider("baseline:oracle")
        self.parcels: list[tuple[Request, bytes]] = []

    async def complete(self, request: Request) -> Reply:
        parcel = pickle.dumps(request)
        self.parcels.append((request, parcel))
        return await self.oracle.complete(pickle.loads(parcel))


def requests_of(protocol: Protocol, condition: str, scenario: str) -> list[tuple[Request, bytes]]:
    courier = Courier()
    setup = Play(
        DataFolder(), courier, protocol, parse_condition(condition, protocol.name),
        judge=RulesJudge(),
    )  # fmt: skip
    episode = asyncio.run(play_episode(setup, scenario, sample_of(scenario)))
    assert episode.error is None
    return courier.parcels


def fits(protocol: type[Protocol], condition: str) -> bool:
    try:
        parse_condition(condition, protocol.name)
    except UserError:
        return False
    return True


@pytest.mark.parametrize(
    ("protocol", "condition"),
    [pair for pair in product((Mcqa, ToolUse, Oeg), CONDITIONS) if fits(*pair)],
)
def test_every_request_of_a_run_is_equal_after_pickling(
    protocol: type[Protocol], condition: str
) -> None:
    for scenario in CONDITIONS[condition].scenarios or SCENARIOS:
        for request, parcel in requests_of(protocol(), condition, scenario):
            copy = pickle.loads(parcel)
            assert copy == request
            assert [i.tobytes() for i in copy.images] == [i.tobytes() for i in request.images]
            assert len(parcel) < 50_000, "a request must not contain its pixels"


@pytest.mark.parametrize("scenario", ["rod", "coco"])
def test_another_process_opens_the_same_pictures(scenario: str) -> None:
    request, parcel = requests_of(ToolUse(), "zero-shot", scenario)[-1]
    command = [sys.executable, "-c", HASH_IN_ANOTHER_PROCESS]
    there = subprocess.run(command, input=parcel, stdout=subprocess.PIPE, check=True).stdout.split()
    assert there == [hashlib.sha256(i.tobytes()).hexdigest().encode() for i in request.images]


def test_stores_of_a_folder_share_their_cache_after_pickling() -> None:
    store = DataFolder().images
    first, second = (pickle.loads(pickle.dumps(store)) for _ in range(2))
    assert first is second
