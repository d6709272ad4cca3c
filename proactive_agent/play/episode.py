"""One episode: `SteppedEpisode` takes replies one by one, `play_episode` asks a provider.

Each turn observes the state, builds a prompt, waits for a reply, reads its action and steps the
environment. This module depends on no particular provider, protocol or condition.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from proactive_agent.play.budget import Budget
from proactive_agent.play.conditions import ConditionSet
from proactive_agent.play.conditions.base import Condition, Prelude, Situation
from proactive_agent.play.judges import Judge
from proactive_agent.play.model_user import ModelUser
from proactive_agent.play.protocols.base import (
    AskedTurn,
    JudgeError,
    PastTurn,
    Protocol,
    SimulatedUserError,
    TurnPrompt,
)
from proactive_agent.play.recording import (
    PlayedTurn,
    episode_record,
    error_record,
    total_usage,
    turn_record,
)
from proactive_agent.play.seeds import derive_seed
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
from proactive_agent.providers.messages import LEFT
from proactive_agent.providers.reply_check import ask, checked
from proactive_agent.records.episode import EpisodeRecord, ErrorRecord, TurnRecord, UsageRecord
from proactive_agent.scenarios import (
    DataFolder,
    Environment,
    ImageError,
    ImageRef,
    Observation,
    Sample,
    SampleError,
    SeenPicture,
    StoredImage,
)
from proactive_agent.scenarios.text_only import TextOnlyGuesses
from proactive_agent.tools import Action, Answer, Vague


@dataclass(frozen=True)
class Play:
    """Everything that the episodes of a run share."""

    data: DataFolder
    provider: Provider
    protocol: Protocol
    condition: ConditionSet
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    forgiving: bool = False
    budget: Budget | None = None
    """Limit on the costs of the model, the judge and the simulated user."""
    judge: Judge | None = None
    """The judge of open-ended replies."""
    user: ModelUser | None = None
    """The model that plays the user; None for the rules."""

    @cached_property
    def guesses(self) -> TextOnlyGuesses:
        """The guesses of `baseline:text-only`. Reads all samples of the data when first used."""
        scenarios = self.data.scenarios()
        return TextOnlyGuesses(chain.from_iterable(map(self.data.samples, scenarios)))

    def environment(self, scenario: str, sample: Sample) -> Environment[Any]:
        """Returns the environment of a sample under the run's condition."""
        condition = self.condition
        environment = self.data.environment(
            scenario, sample, reference=condition.reference, clear=condition.clear
        )
        environment.single_turn = self.protocol.single_turn
        return environment


class ExternalPlayer(Provider):
    """Placeholder for a model whose replies come from outside, through `SteppedEpisode.step`."""

    async def complete(self, request: Request) -> Reply:
        raise RuntimeError("the replies of this episode come from outside; use SteppedEpisode.step")


async def play_episode(play: Play, scenario: str, sample: Sample, repeat: int = 0) -> EpisodeRecord:
    """Plays one sample to its end and returns its record.

    `repeat` counts earlier plays of the same sample. A failed request, a judge without a verdict,
    an unreadable picture or a faulty sample ends the episode as an error record. UserError and
    StoppedError concern the whole run and are raised.
    """
    episode = SteppedEpisode(play, scenario, sample, repeat)
    try:
        request = await episode.begin()
        while request is not None:
            try:
                reply = await _ask(play, request)
            except ProviderError as failure:
                episode.fail(failure)
                break
            request = await episode.step(reply)
    finally:
        usage = await play.provider.end(RequestKey(scenario, sample.id, 0, repeat=repeat))
    record = episode.finished
    if usage is not None:
        record.usage = total_usage(record.usage, usage)
    return record


async def _ask(play: Play, request: Request) -> Reply:
    budget = play.budget if play.provider.charges else None
    if budget is None:
        return await ask(play.provider, request)
    budget.check()
    try:
        reply = await ask(play.provider, request)
    except ProviderError as failure:
        if failure.usage:
            budget.add(failure.usage.cost_usd)
        raise
    budget.add(reply.usage.cost_usd)
    return reply


class SteppedEpisode:
    """One episode that is played from outside: `begin`, then `step` with each reply.

    An unreadable picture, a faulty sample, or a judge or simulated user that fails ends the episode
    as an error record. UserError and StoppedError are raised.
    """

    def __init__(self, play: Play, scenario: str, sample: Sample, repeat: int = 0) -> None:
        """Prepares an episode. `repeat` counts earlier plays of the same sample."""
        self.play = play
        self.scenario = scenario
        self.sample = sample
        self.repeat = repeat
        self.request: Request | None = None
        """The request that waits for a reply; None before the beginning and after the end."""
        self.record: EpisodeRecord | None = None
        """The record of the episode; None before its end."""
        self._environment = play.environment(scenario, sample)
        self._environment.rng = random.Random(self._seed("environment"))
        self._turns: list[TurnRecord] = []
        self._unrecorded: UsageRecord | None = None
        """The usage of replies that are part of no turn, because the turn met an error."""
        self._situation = Situation(
            scenario, sample, play.protocol, play.data, play.condition, self._rng, self._part
        )
        self._prelude: Prelude | None = None
        self._keeps_conversation = play.condition.keeps_conversation(
            play.protocol.keeps_conversation
        )
        self._conversation: list[Message] = []
        self._past: PastTurn | None = None
        self._asked: _AskedState | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def finished(self) -> EpisodeRecord:
        """The record of the episode. Raises RuntimeError before its end."""
        if self.record is None:
            raise RuntimeError("the episode has not ended yet")
        return self.record

    async def begin(self) -> Request | None:
        """Returns the first request, or None if the episode ended with an error."""
        if self.request or self.record:
            raise RuntimeError("the episode has already begun")
        with self._failures_recorded():
            self._environment.foreign = self.play.condition.foreign_suggestions(
                self.sample, self._situation
            )
            await self._next()
        return self.request

    async def step(self, reply: Reply) -> Request | None:
        """Plays the turn of a reply. Returns the next request, or None if the episode has ended.

        Simultaneous calls are turns one after another. Raises RuntimeError if the episode has not
        begun or has ended.
        """
        async with self._one_at_a_time:
            asked = self._waiting()
            with self._failures_recorded():
                await self._play_turn(asked, checked(reply))
                await self._next()
            return self.request

    async def leave(self) -> EpisodeRecord:
        """Ends the episode as the model's choice, by an empty reply. Returns the record."""
        while self.record is None:
            await self.step(Reply(finish_reason=LEFT))
        return self.record

    def fail(self, failure: ProviderError) -> EpisodeRecord:
        """Ends the episode as an error record, because no reply came. Returns the record.

        Raises RuntimeError if the episode has not begun or has ended.
        """
        asked = self._waiting()
        if failure.usage:
            self._unrecorded = UsageRecord.of(failure.usage, time.perf_counter() - asked.since)
        with self._failures_recorded():
            raise failure
        return self.finished

    def _waiting(self) -> "_AskedState":
        if self._asked is None:
            raise RuntimeError(
                "the episode has ended" if self.record else "the episode has not begun; call begin"
            )
        return self._asked

    @contextmanager
    def _failures_recorded(self) -> Iterator[None]:
        """Ends the episode at an error that affects only this episode."""
        try:
            yield
        except ProviderError as failure:
            self._end(error_record("provider", failure.kind, failure))
        except JudgeError as failure:
            self._end(error_record("judge", failure.kind, failure))
        except SimulatedUserError as failure:
            self._end(error_record("user", failure.kind, failure))
        except ImageError as failure:
            self._end(error_record("data", "image", failure))
        except SampleError as failure:
            self._end(error_record("data", "sample", failure))

    def _end(self, error: ErrorRecord | None = None) -> None:
        play, environment = self.play, self._environment
        self.request = self._asked = None
        self.record = episode_record(
            environment,
            repeat=self.repeat,
            protocol=play.protocol.name,
            condition=play.condition.name,
            fewest=None
            if environment.foreign
            else play.environment(self.scenario, self.sample).fewest_suggestions(),
            examples=[sample.id for sample in self._prelude.examples] if self._prelude else [],
            turns=self._turns,
            unrecorded=self._unrecorded,
            error=error,
        )

    async def _next(self) -> None:
        """Prepares the next request, or ends the episode if the environment has stopped."""
        environment = self._environment
        if environment.stop is not None:
            self._end()
            return
        observation = self.play.condition.observe(environment.observe(), self._situation)
        image, picture = await self._show(observation.image)
        prompt = await self._prompt(observation, image)
        self.request = self._request_for(prompt, environment.turn)
        self._asked = _AskedState(
            observation, picture, prompt, environment.is_informative(), time.perf_counter()
        )

    async def _play_turn(self, asked: "_AskedState", reply: Reply) -> None:
        """Carries out the action of a reply."""
        environment, play = self._environment, self.play
        index, observation, prompt = environment.turn, asked.observation, asked.prompt
        seconds = time.perf_counter() - asked.since
        self._unrecorded = UsageRecord.of(reply.usage, seconds)
        reading = await play.protocol.read(reply, self._asked_turn(prompt, observation))
        outcome = environment.step(reading.action, forgiving=play.forgiving)
        turn = PlayedTurn(
            index,
            observation.image,
            asked.enough,
            asked.picture,
            prompt,
            reply,
            reading,
            outcome,
            seconds,
        )
        self._turns.append(turn_record(turn))
        self._unrecorded = None
        self._conversation.append(AssistantMessage(reply.text, reply.tool_calls, reply.opaque))
        self._past = PastTurn(
            reply,
            reading.via,
            _intervention_done(turn, observation),
            vague=isinstance(reading.action, Vague),
        )

    def _asked_turn(self, prompt: TurnPrompt, observation: Observation) -> AskedTurn:
        index = self._environment.turn
        return AskedTurn(
            observation,
            self._environment,
            prompt,
            self._key(index),
            random.Random(self._seed(f"user {index}")),
            self.play.judge,
            self.play.budget,
            self.play.user,
        )

    async def _show(self, ref: ImageRef) -> tuple[ImagePart, SeenPicture | None]:
        """Returns a picture as a part of a message, and facts about it. Raises ImageError.

        The facts are None if the picture cannot be opened and the provider needs no pictures.
        """
        images = self.play.data.images
        try:
            seen = await asyncio.to_thread(images.look, ref)
        except ImageError:
            if self.play.provider.needs_images:
                raise
            seen = None
        shown: object = ref.crop if ref.short_edge is None else (ref.crop, ref.short_edge)
        if ref.like is not None and seen is not None:
            shown = (ref.crop, *seen.size)
        key = f"{seen.sha256 if seen else ref.path} {shown}"
        return ImagePart(key, StoredImage(images, ref)), seen

    async def _part(self, ref: ImageRef) -> ImagePart:
        return (await self._show(ref))[0]

    async def _prompt(self, observation: Observation, image: ImagePart) -> TurnPrompt:
        """Returns the prompt of this turn and extends the conversation by it."""
        if not self._keeps_conversation or self._past is None:
            self._past = None
            if self._prelude is None:
                self._prelude = await self.play.condition.prelude(self._situation)
            self._conversation = list(self._prelude.messages)
        prompt = self.play.protocol.ask(observation, self._environment, image, self._past)
        self._conversation.append(prompt.message)
        return prompt

    def _request_for(self, prompt: TurnPrompt, index: int) -> Request:
        return Request(
            key=self._key(index),
            messages=tuple(self._conversation),
            tools=prompt.tools,
            sampling=self.play.sampling,
            seed=self._seed(*self._condition_seed(), "reply", index),
            choices=prompt.choices,
            best=self._environment.best_action if self.play.provider.sees_environment else None,
            blind=self._blind_action if self.play.provider.sees_statistics else None,
        )

    def _key(self, index: int) -> RequestKey:
        aliases = (self._environment.stem, self._environment.title)
        return RequestKey(self.scenario, self.sample.id, index, aliases, self.repeat)

    def _seed(self, *purpose: str | int) -> int:
        """Returns a seed for this episode; each repeat has other seeds."""
        again = (f"repeat {self.repeat}",) if self.repeat else ()
        return derive_seed(self.play.seed, self.scenario, self.sample.id, *again, *purpose)

    def _condition_seed(self) -> tuple[str, ...]:
        """Names the condition for seeds, so that two conditions do not reuse the same draws."""
        name = self.play.condition.name
        return () if name == Condition.name else (f"condition {name}",)

    def _blind_action(self) -> Action:
        """Returns the best action of a policy that sees no picture: neither this nor any other.

        It does not know whether the frame is clear either. So it asks wherever no category counts
        on an ambiguous frame.
        """
        rng = random.Random(self._seed("blind", self._environment.turn))
        ambiguous = self.play.data.environment(self.scenario, self.sample)
        ambiguous.turn = self._environment.turn
        ambiguous.last_intervention = self._environment.last_intervention
        suggestions = self._environment.observe().suggestions
        if suggestions and not ambiguous.accepts_category():
            return rng.choice(suggestions)[0]
        return Answer(rng.choice(self.play.guesses.best(self.sample)))

    def _rng(self, purpose: str) -> random.Random:
        """Returns a generator for conditions. All repeats get the same, so they ask the same."""
        return random.Random(derive_seed(self.play.seed, self.scenario, self.sample.id, purpose))


def _intervention_done(turn: PlayedTurn, observation: Observation) -> str | None:
    """Returns the intervention in the sample's words, or None if it was not possible."""
    performed = turn.outcome.performed
    return None if performed is None else observation.wording_of(performed)


class _AskedState(NamedTuple):
    """A state that was shown and waits for a reply."""

    observation: Observation
    picture: SeenPicture | None
    prompt: TurnPrompt
    enough: bool | None
    """Whether the frame is informative."""
    since: float
    """Time at which the request was made, by `time.perf_counter`."""
