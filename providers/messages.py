"""Requests to models and their replies, in one form for all providers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from PIL.Image import Image

from proactive_agent.disk.plain_picture import PlainPicture
from proactive_agent.settings import Sampling
from proactive_agent.tools import Action, Tool, ToolCall

LEFT = "left"
"""The finish reason of the empty reply by which a player leaves an episode."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text content of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """Picture of a message, decoded only when a provider loads it."""

    key: str
    """Identifies the pixels: hash of the file and crop. Equal keys mean equal pictures."""
    load: Callable[[], Image] = field(compare=False, repr=False)
    """Returns the picture in RGB. Repeated calls are cheap. In a run it can be pickled."""


@runtime_checkable
class FromFolder(Protocol):
    """The `load` of an ImagePart whose pixels come from files of one folder."""

    def location(self) -> tuple[Path, Path]:
        """Returns the folder and the file below it that holds the picture; both absolute."""


@runtime_checkable
class FromFile(Protocol):
    """The `load` of an ImagePart whose pixels may be those of a whole file."""

    def plain_file(self) -> PlainPicture | None:
        """Returns the file if its bytes can be sent in place of the pixels, else None.

        Raises the errors of `load`.
        """

    def kept_file(self) -> PlainPicture | None:
        """Returns the same at once if it is in memory, else None."""


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class UserMessage:
    """Message of the user: texts and pictures in order."""

    content: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """Reply of the model in an earlier turn."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    opaque: Any = field(default=None, compare=False)
    """Provider-specific data to send back with the message, such as thinking blocks."""


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """Result of a tool call: texts and pictures in order."""

    call: ToolCall
    content: tuple[Part, ...]


Message = UserMessage | AssistantMessage | ToolMessage

ToolFormat = Literal["native", "text", "mcp"]
"""How tools are offered: native tool calling, text in the prompt, or MCP."""


def pictures_of(message: Message) -> list[ImagePart]:
    """The pictures of a message, in order."""
    if isinstance(message, AssistantMessage):
        return []
    return [part for part in message.content if isinstance(part, ImagePart)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible reply. Baselines pick from a request's choices instead of generating text."""

    kind: Literal["ask", "answer", "abstain"]
    action: Action
    text: str = ""
    """The reply as text; empty if it is a call."""
    call: ToolCall | None = None


class RequestKey(NamedTuple):
    """Identifies the turn of a request. Not part of the prompt; `replay` finds replies by it."""

    scenario: str
    sample_id: int | str
    turn: int
    aliases: tuple[str, ...] = ()
    """Other names of the scenario: its official file stem and its title."""
    repeat: int = 0
    """Number of the sample's repetition, from 0."""


@dataclass(frozen=True, slots=True)
class Request:
    """The input of one turn."""

    key: RequestKey
    messages: tuple[Message, ...]
    system: str = ""
    """System prompt."""
    tools: tuple[Tool, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    """Derived from the run's seed and the turn; independent of the order of requests."""
    choices: tuple[Choice, ...] = ()
    best: Callable[[], Action] | None = field(default=None, compare=False, repr=False)
    """Returns the environment's best next action; None unless the provider `sees_environment`."""
    blind: Callable[[], Action] | None = field(default=None, compare=False, repr=False)
    """Returns the best action without the picture; None unless the provider `sees_statistics`."""

    @property
    def text(self) -> str:
        """The text of the last user message; its parts are joined by line breaks.

        Tool results are not user messages. In a conversation with tools, this remains the question
        until the user writes again. Empty if there is no user message.
        """
        for message in reversed(self.messages):
            if isinstance(message, UserMessage):
                return "\n".join(p.text for p in message.content if isinstance(p, TextPart))
        return ""

    @property
    def pictures(self) -> list[ImagePart]:
        """All pictures of the conversation, the oldest first; not decoded."""
        return [part for message in self.messages for part in pictures_of(message)]

    @property
    def images(self) -> list[Image]:
        """All pictures of the conversation in RGB, the oldest first. Decodes them.

        Pictures of user messages and of tool results both count, so `images[-1]` is the scene as
        it is now. Earlier ones are pictures of earlier turns and of examples.
        """
        return [part.load() for part in self.pictures]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, cost and time of a turn. None means unknown; zero means zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """The part of the input that the API read from its prompt cache."""
    reasoning_tokens: int | None = None
    """The part of the output that was reasoning."""
    cost_usd: float | None = None
    seconds: float | None = None
    cache_hit: bool = False
    """True: the reply came from the reply cache. Token counts are those of the original reply."""


@dataclass(frozen=True, slots=True)
class SentImage:
    """Facts about a picture in the form in which it was sent to an API."""

    sha256: str
    """SHA-256 of the file that was sent; that of the data's file if it was sent as it is."""
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    bytes: int
    """Size of the file that was sent."""


@dataclass(frozen=True, slots=True)
class ServedBy:
    """The model that answered a request, as reported by the API. None means not reported."""

    model: str | None = None
    """The exact model, which may be a dated version of the one that was asked for."""
    fingerprint: str | None = None
    """The API's fingerprint of its configuration (OpenAI's `system_fingerprint`)."""
    gateway: str | None = None
    """The provider to which a gateway passed the request on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The output of one turn."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    """Reason for the end of the reply; `length` if the token limit cut it off."""
    usage: Usage = Usage()
    tool_format: ToolFormat | None = None
    """The way in which tools were offered; None without tools."""
    sent_image: SentImage | None = None
    """The last picture of the request, in the form in which it was sent to an API."""
    served: ServedBy | None = None
    """The model that really answered; None if the provider does not report it."""
    thinking_room: int | None = None
    """Tokens for thinking beyond the limit of the answer; None if the provider does not say."""
    opaque: Any = field(default=None, compare=False)
    """Provider-specific data; returns to the provider in the next `AssistantMessage`."""

    @property
    def cut_off(self) -> bool:
        """Whether the token limit ended the reply."""
        return self.finish_reason == "length"
