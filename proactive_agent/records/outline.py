"""A slim view of recorded episodes: what metrics and lists need, and where the whole record stands.

Prompts, replies, options and pictures are skipped while decoding, so that runs of a million turns
are read in seconds.  `RunFolder.outlines` and `RunFolder.scan` give outlines, and
`RunFolder.read_episode` the whole record of one.  Field names are those of `records`.
"""

from typing import Literal

import msgspec

from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.scenarios import Verdict

Stop = Literal["answered", "abstained", "invalid", "turn_limit", "error"]
ActionKind = Literal["intervention", "answer", "abstain", "invalid"]


class Slim(msgspec.Struct, gc=False, omit_defaults=True):
    """Base of all outlines; fields that it does not name are skipped."""


class ActionOutline(Slim):
    """What the reply was read as."""

    kind: ActionKind
    tool: str | None = None
    argument: str | None = None
    category: str | None = None
    why: str | None = None
    question: str | None = None
    mapped: bool = False


class VerdictOutline(Slim):
    """How a reply was judged."""

    suggestion: Verdict
    category: Verdict


class UsageOutline(Slim):
    """Costs; None means unknown."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    cache_hits: int = 0


class AnswerOutline(Slim):
    """An accepted answer of an open-ended question."""

    kind: Literal["proactive", "category"]
    met: bool


class JudgementOutline(Slim):
    """What a judge made of an open-ended reply."""

    judge: str
    answers: list[AnswerOutline]
    problem: str | None = None
    usage: UsageOutline = msgspec.field(default_factory=UsageOutline)


class TurnOutline(Slim):
    """One model call; its usage is in the episode's sum."""

    action: ActionOutline
    via: Literal["call", "text"]
    verdict: VerdictOutline
    lenient_verdict: VerdictOutline | None = None
    judgement: JudgementOutline | None = None


class OutcomeOutline(Slim):
    """How an episode ended."""

    correct: bool
    stop: Stop
    suggestions: int
    turns: int


class ErrorOutline(Slim):
    """Why an episode could not be played to its end."""

    source: str
    kind: str
    message: str = ""


class EpisodeOutline(Slim, kw_only=True):
    """An episode without its texts."""

    scenario: str
    sample_id: int | str
    protocol: str
    condition: str
    outcome: OutcomeOutline
    target: str
    usage: UsageOutline
    repeat: int = 0
    answer: str | None = None
    fewest: int | None = None
    error: ErrorOutline | None = None
    offset: int = 0
    """Byte of the file at which the line begins."""
    length: int = 0
    """Bytes of the line."""

    @property
    def turns(self) -> list[TurnOutline]:
        """Model calls, in order."""
        raise NotImplementedError

    @property
    def key(self) -> EpisodeKey:
        """What tells an episode of a run from the others."""
        return EpisodeKey(self.scenario, self.sample_id, self.repeat)


class LineOutline(EpisodeOutline, kw_only=True):
    """Of a line of `episodes.jsonl`."""

    turns: list[TurnOutline]


class IndexedOutline(EpisodeOutline, kw_only=True):
    """Of a `LineOutline` in MessagePack; turns are decoded once somebody asks for them."""

    packed: msgspec.Raw = msgspec.field(name="turns")
    unpacked: list[TurnOutline] | None = None

    @property
    def turns(self) -> list[TurnOutline]:
        """Model calls, in order."""
        if self.unpacked is None:
            self.unpacked = _decode_turns(self.packed)
        return self.unpacked


decode = msgspec.json.Decoder(LineOutline).decode
"""The outline of one line of `episodes.jsonl`; ValueError or RecursionError where it is none."""

_decode_turns = msgspec.msgpack.Decoder(list[TurnOutline]).decode


def outline_of(episode: EpisodeRecord) -> EpisodeOutline:
    """The outline of a record in memory."""
    return decode(episode.model_dump_json())
