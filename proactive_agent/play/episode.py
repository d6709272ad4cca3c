"""The loop: one coroutine plays one episode.

Each turn observes the state, builds a prompt, asks the model, reads the action and steps the
environment. The loop knows no particular provider, protocol or condition.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from proactive_agent.play.budget import Budget
from proactive_agent.play.conditions import ConditionSet
from proactive_agent.play.conditions.base import Condition, Situation
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
from proactive_agent.play.recording import PlayedTurn, episode_record, error_record, turn_record
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
from proactive_agent.providers.reply_check import ask
from proactive_agent.records.episode import EpisodeRecord, TurnRecord, UsageRecord
from proactive_agent.scenarios import (
    DataFolder,
    Environment,
    ImageError,
    ImageRef,
    Observation,
    Picture,
    Sample,
    SampleError,
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


async def play_episode(play: Play, scenario: str, sample: Sample, repeat: int = 0) -> EpisodeRecord:
    """Plays one sample to its end and returns its record.

    `repeat` counts earlier plays of the same sample. A failed request, a judge without a verdict,
    an unreadable picture or a faulty sample ends the episode as an error record. UserError and
    StoppedError concern the whole run and are raised.
    """
    environment = play.environment(scenario, sample)
    episode = _Episode(play, environment, scenario, sample, repeat)
    error = None
    try:
        environment.foreign = play.condition.foreign_suggestions(sample, episode.situation)
        while environment.stop is None:
            await episode.play_turn()
    except ProviderError as failure:
        error = error_record("provider", failure.kind, failure)
    except JudgeError as failure:
        error = error_record("judge", failure.kind, failure)
    except SimulatedUserError as failure:
        error = error_record("user", failure.kind, failure)
    except ImageError as failure:
        error = error_record("data", "image", failure)
    except SampleError as failure:
        error = error_record("data", "sample", failure)
    return episode_record(
        environment,
        repeat=repeat,
        protocol=play.protocol.name,
        condition=play.condition.name,
        fewest=None
        if environment.foreign
        else play.environment(scenario, sample).fewest_suggestions(),
        examples=episode.examples,
        turns=episode.turns,
        unrecorded=episode.unrecorded,
        error=error,
    )


class _Episode:
    """One episode between its turns."""

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
        environment.rng = random.Random(self._seed("environment"))
        self.turns: list[TurnRecord] = []
        self.unrecorded: UsageRecord | None = None
        """The usage of replies that are part of no turn, because the turn met an error."""
        self.situation = Situation(
            scenario, sample, play.protocol, play.data, play.condition, self._rng, self._part
        )
        self.prelude: tuple[Message, ...] | None = None
        self.examples: list[int | str] = []
        self.keeps_conversation = play.condition.keeps_conversation(
            play.protocol.keeps_conversation
        )
        self.conversation: list[Message] = []
        self.past: PastTurn | None = None

    async def play_turn(self) -> None:
        """Asks the model once and carries out its action."""
        environment, play = self.environment, self.play
        observation = play.condition.observe(environment.observe(), self.situation)
        image, picture = await self._show(observation.image)
        prompt = await self._prompt(observation, image)
        index, enough = environment.turn, environment.is_informative()
        started = time.perf_counter()
        reply = await self._ask(self._request(prompt, index))
        seconds = time.perf_counter() - started
        self.unrecorded = UsageRecord.of(reply.usage, seconds)
        reading = await play.protocol.read(reply, self._asked(prompt, observation))
        outcome = environment.step(reading.action, forgiving=play.forgiving)
        turn = PlayedTurn(
            index, observation.image, enough, picture, prompt, reply, reading, outcome, seconds
        )
        self.turns.append(turn_record(turn))
        self.unrecorded = None
        self.conversation.append(AssistantMessage(reply.text, reply.tool_calls, reply.opaque))
        self.past = PastTurn(
            reply,
            reading.via,
            _intervention_done(turn, observation),
            vague=isinstance(reading.action, Vague),
        )

    async def _ask(self, request: Request) -> Reply:
        budget = self.play.budget if self.play.provider.charges else None
        if budget:
            budget.check()
        started = time.perf_counter()
        try:
            reply = await ask(self.play.provider, request)
        except ProviderError as failure:
            if failure.usage:
                self.unrecorded = UsageRecord.of(failure.usage, time.perf_counter() - started)
                if budget:
                    budget.add(failure.usage.cost_usd)
            raise
        if budget:
            budget.add(reply.usage.cost_usd)
        return reply

    def _asked(self, prompt: TurnPrompt, observation: Observation) -> AskedTurn:
        index = self.environment.turn
        return AskedTurn(
            observation,
            self.environment,
            prompt,
            self._key(index),
            random.Random(self._seed(f"user {index}")),
            self.play.judge,
            self.play.budget,
            self.play.user,
        )

    async def _show(self, ref: ImageRef) -> tuple[ImagePart, Picture | None]:
        """Returns a picture as a part of a message, and the opened picture. Raises ImageError.

        The picture is None if it cannot be opened and the provider needs none.
        """
        images = self.play.data.images
        try:
            picture = await asyncio.to_thread(images.open, ref)
        except ImageError:
            if self.play.provider.needs_images:
                raise
            picture = None
        shown: object = ref.crop if ref.short_edge is None else (ref.crop, ref.short_edge)
        if ref.like is not None and picture is not None:
            shown = (ref.crop, *picture.image.size)
        key = f"{picture.sha256 if picture else ref.path} {shown}"
        return ImagePart(key, StoredImage(images, ref)), picture

    async def _part(self, ref: ImageRef) -> ImagePart:
        return (await self._show(ref))[0]

    async def _prompt(self, observation: Observation, image: ImagePart) -> TurnPrompt:
        """Returns the prompt of this turn and extends the conversation by it."""
        if not self.keeps_conversation or self.past is None:
            self.past = None
            if self.prelude is None:
                condition = self.play.condition
                self.examples = [sample.id for sample in condition.examples(self.situation)]
                self.prelude = await condition.prelude(self.situation)
            self.conversation = list(self.prelude)
        prompt = self.play.protocol.ask(observation, self.environment, image, self.past)
        self.conversation.append(prompt.message)
        return prompt

    def _request(self, prompt: TurnPrompt, index: int) -> Request:
        return Request(
            key=self._key(index),
            messages=tuple(self.conversation),
            tools=prompt.tools,
            sampling=self.play.sampling,
            seed=self._seed(*self._condition_seed(), "reply", index),
            choices=prompt.choices,
            best=self.environment.best_action if self.play.provider.sees_environment else None,
            blind=self._blind_action if self.play.provider.sees_statistics else None,
        )

    def _key(self, index: int) -> RequestKey:
        aliases = (self.environment.stem, self.environment.title)
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
        rng = random.Random(self._seed("blind", self.environment.turn))
        ambiguous = self.play.data.environment(self.scenario, self.sample)
        ambiguous.turn = self.environment.turn
        ambiguous.last_intervention = self.environment.last_intervention
        suggestions = self.environment.observe().suggestions
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
