"""The interface of a protocol, which turns states into prompts and replies into actions."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from proactive_agent.play.budget import Budget
from proactive_agent.play.judges import Judge
from proactive_agent.play.model_user import ModelUser, UserReplyError
from proactive_agent.providers import Choice, ImagePart, Message, ProviderError, Reply, RequestKey
from proactive_agent.records.episode import JudgementRecord, UserRecord
from proactive_agent.scenarios import Environment, Observation, Verdicts
from proactive_agent.tools import Action, Tool


class TurnPrompt(NamedTuple):
    """The message that a turn adds to the conversation, and its parts for records and providers."""

    message: Message
    text: str
    """The complete text shown."""
    options: tuple[str, ...]
    """The options of the multiple choice, in order; empty in other protocols."""
    tools: tuple[Tool, ...]
    """The tools on offer; empty in other protocols."""
    choices: tuple[Choice, ...]
    """Every action with the reply that stands for it; scripted baselines pick one of these."""


@dataclass(frozen=True, slots=True)
class AskedTurn:
    """A turn whose reply has not been read yet, with everything that reading needs."""

    observation: Observation
    """The state as it was shown, after the run's conditions were applied."""
    environment: Environment[Any]
    prompt: TurnPrompt
    key: RequestKey
    """Identifies the reply to a judge."""
    user_rng: random.Random
    """Generator for the simulated user's random choices in this turn."""
    judge: Judge | None
    budget: Budget | None
    """Pays for the judge and the simulated user."""
    user: ModelUser | None = None
    """The model that reads free requests (`tools`); None for the rules."""


@dataclass(frozen=True, slots=True)
class TurnReading:
    """The action that a reply stands for, and how it was found."""

    action: Action
    via: Literal["call", "text"]
    verdicts: Verdicts | None = None
    """Verdicts to record, if they differ from those that the environment gives for the action."""
    lenient: Verdicts | None = None
    """The lenient parser's verdicts (`mcqa`)."""
    notes: tuple[str, ...] = ()
    question: str | None = None
    """The request in free words from which the simulated user took the action."""
    mapped: bool = False
    """True if the user does another helpful intervention instead of the one requested."""
    judgement: JudgementRecord | None = None
    """The judge's verdicts (`oeg`)."""
    user: UserRecord | None = None
    """The reading of a free request by a model that plays the user (`tools`)."""


class JudgeError(Exception):
    """The judge gave no verdict. `kind` is that of the judge's ProviderError."""

    def __init__(self, failure: ProviderError) -> None:
        super().__init__(str(failure))
        self.kind = failure.kind


class SimulatedUserError(Exception):
    """The model that plays the user gave no readable reply. `kind` says what is wrong."""

    def __init__(self, failure: ProviderError | UserReplyError) -> None:
        super().__init__(str(failure))
        self.kind = failure.kind


@dataclass(frozen=True, slots=True)
class PastTurn:
    """The facts about the previous turn of a conversation that the next prompt needs."""

    reply: Reply
    via: Literal["call", "text"]
    done: str | None
    """The intervention that the user performed, in words; None if it was not possible."""
    vague: bool = False
    """Whether the user asked back, because the request named no concrete change."""


class Protocol(ABC):
    """Turns a state into a prompt and a reply into an action."""

    name: ClassVar[str]
    keeps_conversation: ClassVar[bool]
    """Whether earlier turns stay in the conversation, unless a condition decides otherwise."""

    @property
    def single_turn(self) -> bool:
        """True if each sample is asked once and suggestions are not carried out."""
        return False

    @abstractmethod
    def ask(
        self,
        observation: Observation,
        environment: Environment[Any],
        image: ImagePart,
        past: PastTurn | None,
    ) -> TurnPrompt:
        """Returns the prompt of a turn. `past` is None at the start of a conversation."""

    def closing(self, past: PastTurn) -> tuple[Message, ...]:
        """Returns the messages that end a solved example after its last turn."""
        return ()

    async def read(self, reply: Reply, turn: AskedTurn) -> TurnReading:
        """Returns the reading of a reply, by rules unless the protocol asks a judge.

        Raises JudgeError and SimulatedUserError, and StoppedError or UserError from the judge or
        the user; a reply itself never causes an error.
        """
        return self.read_by_rules(reply, turn.observation, turn.environment, turn.user_rng)

    @abstractmethod
    def read_by_rules(
        self,
        reply: Reply,
        observation: Observation,
        environment: Environment[Any],
        user_rng: random.Random,
    ) -> TurnReading:
        """Returns the reading of a reply without asking a judge. Never raises."""
