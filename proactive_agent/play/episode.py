"""The agent loop: one coroutine plays one episode.

observe → prompt → model → action → step, until the episode ends.  Tool calls are recorded as the
proactive actions they stand for.  Nothing here knows which provider it talks to.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from proactive_agent.play.budget import Budget
from proactive_agent.play.conditions import ConditionSet
from proactive_agent.play.conditions.base import Situation
from proactive_agent.play.judges import Case, Judge
from proactive_agent.play.judges.asking import ask as ask_judge
from proactive_agent.play.protocols.base import PastTurn, Prompt, Protocol, TurnReading
from proactive_agent.play.protocols.oeg import case_of, decide
from proactive_agent.play.recording import Taken, episode_record, turn_record
from proactive_agent.play.seeds import derive_seed
from proactive_agent.play.simulated_user import understand
from proactive_agent.providers import (
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
from proactive_agent.records.episode import EpisodeRecord, ErrorRecord, JudgementRecord, TurnRecord
from proactive_agent.scenarios import (
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
from proactive_agent.tools import Intervention, Question, ToolCall
from proactive_agent.tools.reading import clean


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
    """For what costs money: the model, the judge, or both."""
    judge: Judge | None = None
    """Of open-ended replies."""

    def environment(self, scenario: str, sample: Sample) -> Environment[Any]:
        """A sample in play, as the condition has it."""
        condition = self.condition
        environment = self.data.environment(
            scenario, sample, reference=condition.reference, clear=condition.clear
        )
        environment.single_turn = self.protocol.single_turn
        return environment


async def play_episode(play: Play, scenario: str, sample: Sample, repeat: int = 0) -> EpisodeRecord:
    """Plays a sample to its end, for the first time or as a repeat.

    A failed request or an unreadable picture ends the episode as an error record.  UserError
    and BudgetSpentError pass through: they concern the whole run.
    """
    environment = play.environment(scenario, sample)
    episode = _Episode(play, environment, scenario, sample, repeat)
    error = None
    try:
        while environment.stop is None:
            await episode.play_turn()
    except ProviderError as failure:
        error = ErrorRecord(source="provider", kind=failure.kind, message=str(failure))
    except _JudgeError as failure:
        error = ErrorRecord(source="judge", kind=failure.kind, message=str(failure))
    except ImageError as failure:
        error = ErrorRecord(source="data", kind="image", message=str(failure))
    except SampleError as failure:
        error = ErrorRecord(source="data", kind="sample", message=str(failure))
    return episode_record(
        environment,
        scenario,
        repeat,
        play.protocol.name,
        play.condition.name,
        play.environment(scenario, sample).fewest_suggestions(),
        episode.turns,
        error,
    )


class _JudgeError(Exception):
    """The judge could not be asked; that is no verdict, and no fault of the model's."""

    def __init__(self, failure: ProviderError) -> None:
        super().__init__(str(failure))
        self.kind = failure.kind


class _Read(NamedTuple):
    """What a reply was read as, and what is done then."""

    reading: TurnReading
    taken: Taken
    judgement: JudgementRecord | None = None


class _Episode:
    """The state of one episode between its turns."""

    def __init__(
        self,
        play: Play,
        environment: Environment[Any],
        scenario: str,
        sample: Sample,
        repeat: int,
    ) -> None:
        self.play = play
        self.environment = environment
        self.scenario = scenario
        self.sample = sample
        self.repeat = repeat
        self.turns: list[TurnRecord] = []
        self.situation = Situation(
            scenario, sample.id, play.protocol, play.data, play.condition, self._rng, self._part
        )
        self.prelude: tuple[Message, ...] | None = None
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
        prompt = await self._prompt(observation, image)
        index = environment.turn
        started = time.perf_counter()
        reply = _clean(await self._ask(self._request(prompt, index)))
        seconds = time.perf_counter() - started
        reading, taken, judgement = await self._read(reply, prompt, observation)
        outcome = environment.step(taken.action, forgiving=self.play.forgiving)
        self.turns.append(
            turn_record(
                index, observation.image, picture, prompt, reply, reading, taken, outcome, seconds
            )
        )
        self.turns[-1].judgement = judgement
        self.conversation.append(AssistantMessage(reply.text, reply.tool_calls, reply.opaque))
        self.past = PastTurn(reply, reading.via, _what_was_done(taken, outcome, observation))

    async def _ask(self, request: Request) -> Reply:
        budget = self.play.budget if self.play.provider.charges else None
        if budget:
            budget.check()
        reply = await self.play.provider.complete(request)
        if budget:
            budget.add(reply.usage.cost_usd)
        return reply

    async def _read(self, reply: Reply, prompt: Prompt, observation: Observation) -> _Read:
        """What a reply comes to, by the protocol alone or by the judge."""
        reading = self.play.protocol.read(reply, observation, self.environment)
        if self.play.judge is None or not isinstance(reading.action, Question):
            return _Read(reading, self._take(reading))
        case = case_of(reading.action.text, prompt.text, self.scenario, self.environment)
        judgement = await self._judge(case, self.play.judge)
        decision = decide(case, judgement, self.environment, self._user_rng())
        reading = replace(reading, action=decision.action, verdicts=decision.verdicts)
        question = case.reply if isinstance(decision.action, Intervention) else None
        return _Read(reading, Taken(decision.action, question, decision.mapped), judgement)

    async def _judge(self, case: Case, judge: Judge) -> JudgementRecord:
        try:
            return await ask_judge(judge, case, self._key(self.environment.turn), self.play.budget)
        except ProviderError as failure:
            raise _JudgeError(failure) from failure

    async def _show(self, ref: ImageRef) -> tuple[ImagePart, Picture | None]:
        """The picture as a part of a message, and as it was found.  Raises ImageError."""
        images = self.play.data.images
        try:
            picture = await asyncio.to_thread(images.open, ref)
        except ImageError:
            if self.play.provider.needs_images:
                raise
            picture = None
        shown = ref.crop if ref.short_edge is None else (ref.crop, ref.short_edge)
        key = f"{picture.sha256 if picture else ref.path} {shown}"
        return ImagePart(key, lambda: images.open(ref).image), picture

    async def _part(self, ref: ImageRef) -> ImagePart:
        return (await self._show(ref))[0]

    async def _prompt(self, observation: Observation, image: ImagePart) -> Prompt:
        """The prompt of this turn; leaves the conversation as the model will see it."""
        if not self.keeps_conversation or self.past is None:
            self.past = None
            if self.prelude is None:
                self.prelude = await self.play.condition.prelude(self.situation)
            self.conversation = list(self.prelude)
        prompt = self.play.protocol.ask(observation, self.environment, image, self.past)
        self.conversation.append(prompt.message)
        return prompt

    def _request(self, prompt: Prompt, index: int) -> Request:
        return Request(
            key=self._key(index),
            messages=tuple(self.conversation),
            tools=prompt.tools,
            sampling=self.play.sampling,
            seed=self._seed("reply", index),
            choices=prompt.choices,
            best=self.environment.best_action if self.play.provider.sees_environment else None,
        )

    def _key(self, index: int) -> RequestKey:
        aliases = (self.environment.stem, self.environment.title)
        return RequestKey(self.scenario, self.sample.id, index, aliases, self.repeat)

    def _take(self, reading: TurnReading) -> Taken:
        """The action of a reading; a question goes to the simulated user."""
        if not isinstance(reading.action, Question):
            return Taken(reading.action)
        understood = understand(reading.action.text, self.environment, self._user_rng())
        return Taken(understood.intervention, reading.action.text, understood.mapped)

    def _user_rng(self) -> random.Random:
        return random.Random(self._seed(f"user {self.environment.turn}"))

    def _seed(self, *purpose: str | int) -> int:
        """Other seeds in each repeat."""
        again = (f"repeat {self.repeat}",) if self.repeat else ()
        return derive_seed(self.play.seed, self.scenario, self.sample.id, *again, *purpose)

    def _rng(self, purpose: str) -> random.Random:
        """The same in each repeat: what conditions draw is a part of what is asked."""
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
    return observation.wording_of(taken.action)
