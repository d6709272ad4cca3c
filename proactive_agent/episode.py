"""The agent loop: one coroutine plays one episode.

observe → prompt → model → action → step, until the episode ends.  Tool calls are recorded as the
proactive actions they stand for.  Nothing here knows which provider it talks to.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any

from proactive_agent.budget import Budget
from proactive_agent.conditions import ConditionSet
from proactive_agent.conditions.base import Situation
from proactive_agent.protocols.base import PastTurn, Prompt, Protocol, TurnReading
from proactive_agent.records import EpisodeRecord, ErrorRecord, TurnRecord
from proactive_agent.seeds import derive_seed
from proactive_agent.transcribe import Taken, episode_record, turn_record
from proactive_agent.user import understand
from providers import (
    AssistantMessage,
    ImagePart,
    Message,
    Provider,
    ProviderError,
    Reply,
    Request,
    RequestKey,
    Sampling,
)
from scenarios import (
    DataFolder,
    Environment,
    ImageError,
    ImageRef,
    Observation,
    Outcome,
    Picture,
    Sample,
    SampleError,
)
from tools import Intervention, Question, ToolCall
from tools.reading import clean


@dataclass(frozen=True)
class Play:
    """Everything that the episodes of a run have in common."""

    data: DataFolder
    provider: Provider
    protocol: Protocol
    condition: ConditionSet
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    forgiving: bool = False
    budget: Budget | None = None
    """For a provider whose replies cost money."""


async def play_episode(play: Play, scenario: str, sample: Sample) -> EpisodeRecord:
    """Plays a sample to its end.

    A failed request or an unreadable picture ends the episode as an error record.  UserError
    and BudgetSpentError pass through: they concern the whole run.
    """
    environment = play.data.environment(scenario, sample, reference=play.condition.reference)
    episode = _Episode(play, environment, scenario, sample)
    error = None
    try:
        while environment.stop is None:
            await episode.play_turn()
    except ProviderError as failure:
        error = ErrorRecord(source="provider", kind=failure.kind, message=str(failure))
    except ImageError as failure:
        error = ErrorRecord(source="data", kind="image", message=str(failure))
    except SampleError as failure:
        error = ErrorRecord(source="data", kind="sample", message=str(failure))
    return episode_record(
        environment, scenario, play.protocol.name, play.condition.name, episode.turns, error
    )


class _Episode:
    """The state of one episode between its turns."""

    def __init__(
        self, play: Play, environment: Environment[Any], scenario: str, sample: Sample
    ) -> None:
        self.play = play
        self.environment = environment
        self.scenario = scenario
        self.sample = sample
        self.turns: list[TurnRecord] = []
        self.situation = Situation(scenario, sample.id, self._rng)
        self.keeps_conversation = play.condition.keeps_conversation(
            play.protocol.keeps_conversation
        )
        self.conversation: list[Message] = []
        self.past: PastTurn | None = None

    async def play_turn(self) -> None:
        """Asks the model once and plays what it says."""
        environment = self.environment
        observation = self.play.condition.observe(environment.observe(), self.situation)
        image, picture = await self._show(observation.image)
        prompt = self._prompt(observation, image)
        index = environment.turn
        started = time.perf_counter()
        reply = _clean(await self._ask(self._request(prompt, index)))
        seconds = time.perf_counter() - started
        reading = self.play.protocol.read(reply, observation, environment)
        taken = self._take(reading)
        outcome = environment.step(taken.action, forgiving=self.play.forgiving)
        self.turns.append(
            turn_record(
                index, observation.image, picture, prompt, reply, reading, taken, outcome, seconds
            )
        )
        self.conversation.append(AssistantMessage(reply.text, reply.tool_calls, reply.opaque))
        self.past = PastTurn(reply, reading.via, _what_was_done(taken, outcome, observation))

    async def _ask(self, request: Request) -> Reply:
        budget = self.play.budget
        if budget:
            budget.check()
        reply = await self.play.provider.complete(request)
        if budget:
            budget.add(reply.usage.cost_usd)
        return reply

    async def _show(self, ref: ImageRef) -> tuple[ImagePart, Picture | None]:
        """The picture as a part of a message, and as it was found.  Raises ImageError."""
        images = self.play.data.images
        try:
            picture = await asyncio.to_thread(images.open, ref)
        except ImageError:
            if self.play.provider.needs_images:
                raise
            picture = None
        key = f"{picture.sha256 if picture else ref.path} {ref.crop}"
        return ImagePart(key, lambda: images.open(ref).image), picture

    def _prompt(self, observation: Observation, image: ImagePart) -> Prompt:
        """The prompt of this turn; leaves the conversation as the model will see it."""
        if not self.keeps_conversation or self.past is None:
            self.past = None
            self.conversation = list(self.play.condition.prelude(self.situation))
        prompt = self.play.protocol.ask(observation, self.environment, image, self.past)
        self.conversation.append(prompt.message)
        return prompt

    def _request(self, prompt: Prompt, index: int) -> Request:
        aliases = (self.environment.stem, self.environment.title)
        return Request(
            key=RequestKey(self.scenario, self.sample.id, index, aliases),
            messages=tuple(self.conversation),
            tools=prompt.tools,
            sampling=self.play.sampling,
            seed=derive_seed(self.play.seed, self.scenario, self.sample.id, "reply", index),
            choices=prompt.choices,
            best=self.environment.best_action if self.play.provider.sees_environment else None,
        )

    def _take(self, reading: TurnReading) -> Taken:
        """The action of a reading; a question goes to the simulated user."""
        if not isinstance(reading.action, Question):
            return Taken(reading.action)
        rng = self._rng(f"user {self.environment.turn}")
        understood = understand(reading.action.text, self.environment, rng)
        return Taken(understood.intervention, reading.action.text, understood.mapped)

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(derive_seed(self.play.seed, self.scenario, self.sample.id, purpose))


def _clean(reply: Reply) -> Reply:
    """The reply without what no file and no request can hold."""
    calls = tuple(
        ToolCall(clean(call.name), clean(call.arguments), clean(call.id))
        for call in reply.tool_calls
    )
    return replace(reply, text=clean(reply.text), tool_calls=calls)


def _what_was_done(taken: Taken, outcome: Outcome, observation: Observation) -> str | None:
    """The intervention in the sample's own words; None where it was not possible."""
    if outcome.verdicts.suggestion != "correct" or not isinstance(taken.action, Intervention):
        return None
    wordings = dict(reversed(observation.suggestions))
    return wordings.get(taken.action, str(taken.action)).removesuffix(".")
