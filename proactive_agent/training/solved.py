"""Solved episodes: what `baseline:oracle` does, as a model of a protocol would write it."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Protocol
from proactive_agent.providers import Reply, Request
from proactive_agent.providers.baselines import OracleBaseline
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.wording import Wording
from proactive_agent.training.episodes import Opening
from proactive_agent.training.prompts import request_for
from proactive_agent.training.rows import Row
from proactive_agent.training.settings import ReplyForm


class Solved(NamedTuple):
    """A request and the right reply."""

    request: Request
    reply: Reply


def solved_rows(
    rows: Iterable[Row], protocol: Protocol, wordings: Sequence[Wording], form: ReplyForm
) -> list[Solved]:
    """Each row as an episode of one turn."""
    requests = [request_for(row, protocol, wordings) for row in rows]
    replies = asyncio.run(_ask(requests))
    return [
        Solved(request, in_form(reply, form))
        for request, reply in zip(requests, replies, strict=True)
    ]


def in_form(reply: Reply, form: ReplyForm) -> Reply:
    """A reply to a multiple choice with its letter, its text, or both; calls stay as they are."""
    mark, _, text = reply.text.partition(". ")
    if reply.tool_calls or form == "letter-and-text":
        return reply
    return Reply(f"{mark}." if form == "letter" else text)


class Recorder(OracleBaseline):
    """The oracle, with a memory."""

    def __init__(self) -> None:
        self.solved: list[Solved] = []

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        self.solved.append(Solved(request, reply))
        return reply


def solved_episodes(rows: Iterable[Opening], data: DataFolder, protocol: Protocol) -> list[Solved]:
    """Every turn of whole episodes."""
    oracle = Recorder()
    condition = parse_condition("zero-shot", protocol.name)
    play = Play(data, oracle, protocol, condition)

    async def play_all() -> None:
        for row in rows:
            await play_episode(play, row.scenario, row.sample)

    asyncio.run(play_all())
    return oracle.solved


async def _ask(requests: Iterable[Request]) -> list[Reply]:
    oracle = OracleBaseline()
    return [await oracle.complete(request) for request in requests]
