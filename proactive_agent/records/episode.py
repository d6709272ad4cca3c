"""What a run writes down: one `EpisodeRecord` per finished episode, as a line of JSON.

Pictures are named by path and hash, never embedded; keys and headers are never written.
"""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from proactive_agent.scenarios import Verdict


class EpisodeKey(NamedTuple):
    """What tells an episode of a run from the others."""

    scenario: str
    sample_id: int | str
    repeat: int = 0


class Record(BaseModel):
    """Base of all records; fields that an older program does not know are let pass."""

    model_config = ConfigDict(extra="ignore")


class SentImageRecord(Record):
    """A picture as an API got it."""

    sha256: str
    """Of the encoded file."""
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    bytes: int


class ImageRecord(Record):
    """The picture shown."""

    path: str
    """Relative to the data folder."""
    crop: tuple[float, float, float, float] | None
    """[left, upper, right, lower] in pixels of the file."""
    size: tuple[int, int] | None = None
    """Width and height of what was shown, in pixels."""
    sha256: str | None
    """Of the file.  This and the size are null where a replay ran without the pictures."""
    sent: SentImageRecord | None = None
    """As it went to an API, where it was encoded anew."""


class ToolRecord(Record):
    """A tool on offer; its texts are those of the version named in run.json."""

    name: str
    parameters: dict[str, list[str] | None]
    """Per parameter its values, null for free text."""


class CallRecord(Record):
    """A call as the model wrote it."""

    name: str
    arguments: str
    """JSON text, unparsed."""
    id: str = ""


class ReplyRecord(Record):
    """What the model wrote."""

    text: str
    tool_calls: list[CallRecord]
    finish_reason: str | None
    tool_format: Literal["native", "text"] | None
    """How tools were offered to the model."""


class ActionRecord(Record):
    """What the reply was read as."""

    kind: Literal["intervention", "answer", "abstain", "invalid"]
    tool: str | None = None
    """Of an intervention."""
    argument: str | None = None
    category: str | None = None
    """Of an answer."""
    why: str | None = None
    """Of an invalid reply: the reason in one word."""
    detail: str | None = None
    """What was wrong with an invalid reply, or the reason of an abstention."""
    question: str | None = None
    """The request in words that the simulated user turned into this intervention."""
    mapped: bool = False
    """True where the user did something else that helps than what was asked for."""


class VerdictRecord(Record):
    """correct: accepted in this state; wrong: another option of that list; mismatch: neither."""

    suggestion: Verdict
    category: Verdict


class UsageRecord(Record):
    """Costs; null means unknown, never nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """Input that the API read from its own cache."""
    reasoning_tokens: int | None = None
    """Output that was thinking."""
    cost_usd: float | None = None
    """US dollars; 0 for a reply from the cache on disk."""
    seconds: float | None = None
    """Wall-clock time: as the provider tells it, else the time waited for it."""
    cache_hits: int = 0
    """Replies that were on disk and asked nobody; their counts are those of the first time."""


class JudgedAnswerRecord(Record):
    """An accepted answer of an open-ended question, and whether the reply gave it."""

    text: str
    kind: Literal["proactive", "category"]
    met: bool
    tool: str | None = None
    """Of a proactive one: what it asks for."""
    argument: str | None = None


class JudgementRecord(Record):
    """What a judge made of an open-ended reply."""

    judge: str
    """`rules` with its version, or the provider and the prompt."""
    answers: list[JudgedAnswerRecord]
    other_categories: list[str] = []
    """The sample's wrong ones."""
    reply: str | None = None
    """What a model wrote as the judge."""
    problem: str | None = None
    """Why the judge's reply could not be read; no answer counts as met then."""
    usage: UsageRecord = UsageRecord()


class TurnRecord(Record):
    """One model call and what came of it."""

    index: int
    image: ImageRecord
    prompt: str
    """The whole text shown in this turn."""
    options: list[str]
    """Every option shown, in order; empty where tools are called."""
    tools: list[ToolRecord]
    reply: ReplyRecord
    action: ActionRecord
    via: Literal["call", "text"]
    notes: list[str]
    """What was overlooked when reading the reply."""
    verdict: VerdictRecord
    """By the official parser, in `mcqa`."""
    lenient_verdict: VerdictRecord | None
    """By the lenient parser, where it differs."""
    judgement: JudgementRecord | None = None
    """In `oeg`."""
    usage: UsageRecord


class OutcomeRecord(Record):
    """How an episode ended."""

    correct: bool
    stop: Literal["answered", "abstained", "invalid", "turn_limit", "error"]
    suggestions: int
    """Suggestions made that were accepted."""
    turns: int


class ErrorRecord(Record):
    """Why an episode could not be played to its end; never an answer."""

    source: Literal["provider", "data", "judge"]
    kind: str
    message: str


class EpisodeRecord(Record):
    """A sample played to its end, or to an error."""

    scenario: str
    """Short name."""
    sample_id: int | str
    """The sample's own `id`."""
    repeat: int = 0
    """Which repetition of the sample, from 0."""
    protocol: str
    condition: str
    outcome: OutcomeRecord
    answer: str | None
    """The category that the model gave."""
    target: str
    """The right category."""
    fewest: int | None = None
    """The fewest suggestions that lead to the reference frame."""
    error: ErrorRecord | None
    usage: UsageRecord
    turns: list[TurnRecord]

    @property
    def key(self) -> EpisodeKey:
        """What tells an episode of a run from the others."""
        return EpisodeKey(self.scenario, self.sample_id, self.repeat)
