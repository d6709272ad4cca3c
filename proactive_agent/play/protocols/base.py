"""The interface of a protocol."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from proactive_agent.providers import Choice, ImagePart, Message, Reply
from proactive_agent.scenarios import Environment, Observation, Verdicts
from proactive_agent.tools import Action, Question, Tool


class Prompt(NamedTuple):
    """What a turn adds to the conversation, in the forms that others need."""

    message: Message
    text: str
    """The whole text shown."""
    options: tuple[str, ...]
    """Every option of the multiple choice; none where tools are called."""
    tools: tuple[Tool, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class TurnReading:
    """What a reply was read as."""

    action: Action | Question
    via: Literal["call", "text"]
    verdicts: Verdicts | None = None
    """The official parser's, where the protocol has one."""
    lenient: Verdicts | None = None
    """The lenient parser's."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastTurn:
    """What a protocol needs of the turn before to go on with a conversation."""

    reply: Reply
    via: Literal["call", "text"]
    done: str | None
    """What the user did, in words; None where it was not possible."""


class Protocol(ABC):
    """How a state becomes a prompt and a reply becomes an action."""

    name: ClassVar[str]
    keeps_conversation: ClassVar[bool]
    """Whether earlier turns stay in the conversation, unless a condition says otherwise."""

    @property
    def single_turn(self) -> bool:
        """Whether a sample is asked about once, and what is suggested is not done."""
        return False

    @abstractmethod
    def ask(
        self,
        observation: Observation,
        environment: Environment[Any],
        image: ImagePart,
        past: PastTurn | None,
    ) -> Prompt:
        """The prompt of a turn.  `past` is None where the turn starts a conversation."""

    def closing(self, past: PastTurn) -> tuple[Message, ...]:
        """What ends an episode after its last turn, where another follows in the conversation."""
        return ()

    @abstractmethod
    def read(
        self, reply: Reply, observation: Observation, environment: Environment[Any]
    ) -> TurnReading:
        """What a reply stands for.  Never raises, whatever the model wrote."""
