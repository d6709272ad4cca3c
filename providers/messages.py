"""What goes to a model and what comes back, the same for every provider."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from PIL.Image import Image

from proactive_agent.settings import Sampling
from proactive_agent.tools import Action, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture, decoded when a provider asks for it."""

    key: str
    """Two parts with the same key show the same pixels: file hash and crop."""
    load: Callable[[], Image] = field(compare=False, repr=False)
    """The picture in RGB; cheap when repeated."""


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the user says and shows."""

    content: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the model replied in an earlier turn."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    opaque: Any = field(default=None, compare=False)
    """What the provider that wrote it wants back (thinking blocks and the like)."""


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """What a tool call brought."""

    call: ToolCall
    content: tuple[Part, ...]


Message = UserMessage | AssistantMessage | ToolMessage

ToolFormat = Literal["native", "text"]
"""How tools are offered: through the model's own tool calling, or as text in the prompt."""


def pictures_of(message: Message) -> list[ImagePart]:
    """The pictures of a message, in order."""
    if isinstance(message, AssistantMessage):
        return []
    return [part for part in message.content if isinstance(part, ImagePart)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to reply, for providers that pick instead of writing (baselines)."""

    kind: Literal["ask", "answer", "abstain"]
    action: Action
    text: str = ""
    """The reply in words, where no call is made."""
    call: ToolCall | None = None


class RequestKey(NamedTuple):
    """Which turn a request belongs to; opaque to models, looked up by `replay`."""

    scenario: str
    sample_id: int | str
    turn: int
    aliases: tuple[str, ...] = ()
    """Other names of the scenario."""
    repeat: int = 0
    """Which repetition of the sample."""


@dataclass(frozen=True, slots=True)
class Request:
    """One turn, as a provider gets it."""

    key: RequestKey
    messages: tuple[Message, ...]
    system: str = ""
    """What the model is told before the conversation."""
    tools: tuple[Tool, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    """Derived from the run's seed and the turn, never from the order of requests."""
    choices: tuple[Choice, ...] = ()
    best: Callable[[], Action] | None = field(default=None, compare=False, repr=False)
    """The environment's own next step; only for providers that declare `sees_environment`."""

    @property
    def text(self) -> str:
        """The text of the last user message; its parts are joined by line breaks.

        A message that brings a tool's result is no user message: in a conversation with tools this
        stays the question until the user writes again.  Empty if there is no user message.
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
        """All pictures of the conversation in RGB, the oldest first.  Decodes them.

        Pictures of user messages and of tool results both count, so `images[-1]` is the scene as
        it is now.  Earlier ones are pictures of earlier turns and of examples.
        """
        return [part.load() for part in self.pictures]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn cost; None means unknown, never nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """Input that the API read from its own cache."""
    reasoning_tokens: int | None = None
    """Output that was thinking."""
    cost_usd: float | None = None
    seconds: float | None = None
    cache_hit: bool = False
    """The reply was on disk; nothing was asked, and the counts are those of the first time."""


@dataclass(frozen=True, slots=True)
class SentImage:
    """A picture as it was sent to an API."""

    sha256: str
    """Of the encoded file."""
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: Usage = Usage()
    tool_format: ToolFormat | None = None
    """How tools were offered; None if no tools were."""
    sent_image: SentImage | None = None
    """The last picture of the request, where it was encoded anew to be sent."""
    opaque: Any = field(default=None, compare=False)
