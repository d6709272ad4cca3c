"""Outlines: episodes reduced to the fields that metrics and lists need.

Decoding skips prompts, replies, options and pictures, so that runs of a million turns are read in
seconds. `RunFolder.outlines` and `RunFolder.scan` return outlines; `RunFolder.read_episode` reads
the whole record of one. Field names are those of `records.episode`.
"""

from typing import Annotated, Literal

import msgspec

from proactive_agent.records.episode import MOST, EpisodeKey, EpisodeRecord
from proactive_agent.scenarios import Verdict
from proactive_agent.scenarios.sample import MAX_ID

Stop = Literal["answered", "abstained", "invalid", "turn_limit", "left_video", "error"]
ActionKind = Literal["intervention", "answer", "abstain", "invalid", "vague"]
Natural = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
ShortText = Annotated[str, msgspec.Meta(max_length=MAX_ID)]
NonNegative = Annotated[float, msgspec.Meta(ge=0, le=MOST)]


class Slim(msgspec.Struct, gc=False, omit_defaults=True):
    """Base class of outlines; fields that a subclass does not declare are skipped."""


class ActionOutline(Slim):
    """The action that the reply was read as."""

    kind: ActionKind
    tool: str | None = None
    argument: str | None = None
    category: str | None = None
    why: str | None = None
    question: str | None = None
    mapped: bool = False


class VerdictOutline(Slim):
    """The verdict on a reply."""

    suggestion: Verdict
    category: Verdict


class UsageOutline(Slim):
    """Tokens, dollars and seconds; None means unknown."""

    input_tokens: Natural | None = None
    output_tokens: Natural | None = None
    cached_tokens: Natural | None = None
    reasoning_tokens: Natural | None = None
    cost_usd: NonNegative | None = None
    seconds: NonNegative | None = None
    cache_hits: Natural = 0


class AnswerOutline(Slim):
    """An accepted answer to an open-ended question."""

    kind: Literal["proactive", "category"]
    met: bool


class JudgementOutline(Slim):
    """A judge's reading of an open-ended reply."""

    judge: str
    answers: list[AnswerOutline]
    problem: str | None = None
    usage: UsageOutline = msgspec.field(default_factory=UsageOutline)


class UserOutline(Slim):
    """A reading of a request by a model that plays the user."""

    usage: UsageOutline = msgspec.field(default_factory=UsageOutline)


class ServedByOutline(Slim):
    """The model that answered a request, as reported by the API."""

    model: str | None = None
    fingerprint: str | None = None
    gateway: str | None = None


class ReplyOutline(Slim):
    """A reply without its text."""

    finish_reason: str | None = None
    served: ServedByOutline | None = None
    thinking_room: Natural | None = None


class TurnOutline(Slim):
    """One model call. Its usage is part of the episode's total."""

    reply: ReplyOutline
    action: ActionOutline
    via: Literal["call", "text"]
    verdict: VerdictOutline
    lenient_verdict: VerdictOutline | None = None
    enough: bool | None = None
    judgement: JudgementOutline | None = None
    user: UserOutline | None = None


class OutcomeOutline(Slim):
    """The end of an episode."""

    correct: bool
    stop: Stop
    suggestions: Natural
    turns: Natural


class ErrorOutline(Slim):
    """The error that ended an episode early."""

    source: str
    kind: str
    message: str = ""


class EpisodeOutline(Slim, kw_only=True):
    """An episode without its texts."""

    scenario: str
    sample_id: int | ShortText
    protocol: str
    condition: str
    outcome: OutcomeOutline
    target: str
    usage: UsageOutline
    repeat: Natural = 0
    answer: str | None = None
    fewest: Natural | None = None
    error: ErrorOutline | None = None
    offset: int = 0
    """Byte of `episodes.jsonl` at which the line begins."""
    length: int = 0
    """Length of the line in bytes."""

    @property
    def turns(self) -> list[TurnOutline]:
        """The model calls, in order."""
        raise NotImplementedError

    @property
    def key(self) -> EpisodeKey:
        """Identifies the episode within its run."""
        return EpisodeKey(self.scenario, self.sample_id, self.repeat)


class LineOutline(EpisodeOutline, kw_only=True):
    """The outline of a line of `episodes.jsonl`."""

    turns: list[TurnOutline]


class IndexedOutline(EpisodeOutline, kw_only=True):
    """An outline from `episodes.index`; its turns are decoded when they are first used."""

    packed: msgspec.Raw = msgspec.field(name="turns")
    unpacked: list[TurnOutline] | None = None

    @property
    def turns(self) -> list[TurnOutline]:
        """The model calls, in order."""
        if self.unpacked is None:
            self.unpacked = _decode_turns(self.packed)
        return self.unpacked


decode = msgspec.json.Decoder(LineOutline).decode
"""Decodes one line of `episodes.jsonl`. Raises ValueError or RecursionError if it is invalid."""

_decode_turns = msgspec.msgpack.Decoder(list[TurnOutline]).decode


def outline_of(episode: EpisodeRecord) -> EpisodeOutline:
    """Returns the outline of a record in memory."""
    return decode(episode.model_dump_json())
