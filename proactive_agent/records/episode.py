"""The records of a run: one `EpisodeRecord` per finished episode, as a line of JSON.

Pictures are named by path and hash, never embedded. API keys and headers are never written.
"""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from proactive_agent.providers import ServedBy, Usage
from proactive_agent.scenarios import Verdict
from proactive_agent.scenarios.sample import SampleId

CUT_OFF = "length"
"""The finish reason of a reply that the token limit cut off."""

MOST = 10**12
"""The largest count, cost or time in a record. Tables of 64-bit numbers can hold sums of them."""

Count = Annotated[int, Field(ge=0, le=MOST)]
Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]

ErrorSource = Literal["provider", "data", "judge", "user", "record"]
"""The source of an error; `record` is a line of `episodes.jsonl` that cannot be read."""


class EpisodeKey(NamedTuple):
    """Identifies an episode within its run."""

    scenario: str
    sample_id: int | str
    repeat: int = 0


class Record(BaseModel):
    """Base class of records. Unknown fields are ignored, so that old programs read new records."""

    model_config = ConfigDict(extra="ignore")


class SentImageRecord(Record):
    """A picture as it was sent to an API."""

    sha256: str
    """Hash of the file that was sent; that of the data's file if it was sent as it is."""
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    bytes: int


class ImageRecord(Record):
    """The picture shown in a turn."""

    path: str
    """Relative to the data folder."""
    crop: tuple[float, float, float, float] | None
    """[left, upper, right, lower] in pixels of the file."""
    size: tuple[int, int] | None = None
    """Width and height as shown, in pixels."""
    sha256: str | None
    """Hash of the file. Null, like the size, if a replay ran without the pictures."""
    sent: SentImageRecord | None = None
    """The picture as sent to an API."""


class ToolRecord(Record):
    """A tool that was offered. `run.json` names the version of the tools' texts."""

    name: str
    parameters: dict[str, list[str] | None]
    """Allowed values by parameter; null means free text."""


class CallRecord(Record):
    """A tool call as the model wrote it."""

    name: str
    arguments: str
    """JSON text, unparsed."""
    id: str = ""


class ServedByRecord(Record):
    """The model that answered a request, as reported by the API. Null means not reported."""

    model: str | None = None
    """The exact model, for example a dated version of the one that was asked for."""
    fingerprint: str | None = None
    """The API's fingerprint of its configuration."""
    gateway: str | None = None
    """The provider to which a gateway passed the request on."""

    @classmethod
    def of(cls, served: ServedBy) -> Self:
        """The record of the model that answered one request."""
        return cls(model=served.model, fingerprint=served.fingerprint, gateway=served.gateway)


class ReplyRecord(Record):
    """The model's reply."""

    text: str
    tool_calls: list[CallRecord]
    finish_reason: str | None
    """The reason for the end of the reply; `length` if the token limit cut it off."""
    tool_format: Literal["native", "text", "mcp"] | None
    """The way in which tools were offered: by the API, in the prompt's text, or over MCP."""
    served: ServedByRecord | None = None
    """The model that really answered; null if the provider does not report it."""
    thinking_room: Count | None = None
    """Tokens for thinking beyond `--max-tokens`; null if the provider does not say."""


class PerformedRecord(Record):
    """An intervention that was performed in place of the one asked for."""

    tool: str
    argument: str | None = None


class ActionRecord(Record):
    """The action that the reply was read as."""

    kind: Literal["intervention", "answer", "abstain", "invalid", "vague"]
    """`vague`: a wish without a concrete change, on which the simulated user asked back."""
    tool: str | None = None
    """Set for an intervention."""
    argument: str | None = None
    category: str | None = None
    """Set for an answer."""
    why: str | None = None
    """Set for an invalid reply: the reason in one word."""
    detail: str | None = None
    """The fault of an invalid reply, or the reason for an abstention."""
    question: str | None = None
    """The request in free text that the simulated user read as this action."""
    mapped: bool = False
    """True if the user chose what the request left open, such as the direction. In `oeg` also if
    the user did another intervention than the one requested."""
    performed: PerformedRecord | None = None
    """The random intervention that followed a suggestion of another scenario
    (`random-suggestions`)."""


class VerdictRecord(Record):
    """The verdict on a turn, against the suggestions and against the categories.

    correct: accepted in this state; wrong: another option of that list; mismatch: not in that list.
    """

    suggestion: Verdict
    category: Verdict


class UsageRecord(Record):
    """Tokens, dollars and seconds. Null means unknown, not zero."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cached_tokens: Count | None = None
    """Input tokens that the API read from its own cache."""
    reasoning_tokens: Count | None = None
    """Output tokens spent on reasoning."""
    cost_usd: Amount | None = None
    """US dollars; 0 for a reply from the reply cache."""
    seconds: Amount | None = None
    """Wall-clock time as reported by the provider, otherwise as measured."""
    cache_hits: Count = 0
    """Replies from the reply cache. Their token counts are those of the original request."""

    @classmethod
    def of(cls, usage: Usage, seconds: float) -> Self:
        """The record of one request.

        `seconds` is the time waited for the reply; the provider's own measurement, if there is one,
        takes precedence.
        """
        return cls(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost_usd=usage.cost_usd,
            seconds=round(seconds if usage.seconds is None else usage.seconds, 6),
            cache_hits=int(usage.cache_hit),
        )


class JudgedAnswerRecord(Record):
    """An accepted answer to an open-ended question, and whether the reply gave it."""

    text: str
    kind: Literal["proactive", "category"]
    met: bool
    tool: str | None = None
    """The tool that a proactive answer asks for."""
    argument: str | None = None


class JudgementRecord(Record):
    """A judge's reading of an open-ended reply."""

    judge: str
    """`rules` and its version, or the judge's provider and prompt."""
    answers: list[JudgedAnswerRecord]
    other_categories: list[str] = []
    """The sample's wrong categories."""
    reply: str | None = None
    """The reply of the judge, if a model judged."""
    problem: str | None = None
    """The reason why the judge's reply could not be read. No answer counts as given then."""
    usage: UsageRecord = UsageRecord()


class UserRecord(Record):
    """The simulated user's reading of a request, by a model."""

    user: str
    """The model and the version of its prompt."""
    choice: str
    """An intervention, `vague` or `none`."""
    reply: str
    """The reply of the model."""
    usage: UsageRecord = UsageRecord()


class TurnRecord(Record):
    """One model call and its outcome."""

    index: Count
    image: ImageRecord
    enough: bool | None = None
    """Whether the frame is informative: no suggestion leads closer to the reference frame.
    Null in records of older versions, and if the question is asked only once (`oeg`)."""
    prompt: str
    """The whole text shown in this turn."""
    options: list[str]
    """Every option shown, in order; empty if the model calls tools."""
    tools: list[ToolRecord]
    reply: ReplyRecord
    action: ActionRecord
    via: Literal["call", "text"]
    notes: list[str]
    """Faults of the reply that were tolerated."""
    verdict: VerdictRecord
    """The verdict; in `mcqa`, by the official parser."""
    lenient_verdict: VerdictRecord | None
    """The verdict by the lenient parser, if it differs."""
    judgement: JudgementRecord | None = None
    """Set in `oeg`."""
    user: UserRecord | None = None
    """Set if a model played the user and read a request of this turn."""
    usage: UsageRecord


class OutcomeRecord(Record):
    """The end of an episode."""

    correct: bool
    stop: Literal["answered", "abstained", "invalid", "turn_limit", "left_video", "error"]
    suggestions: Count
    """Number of accepted suggestions."""
    turns: Count


class ErrorRecord(Record):
    """The error that ended an episode early. An error never counts as an answer."""

    source: ErrorSource
    kind: str
    """See `docs/protocol.md`, section "Errors, wrong answers and cut-off replies"."""
    message: str


class EpisodeRecord(Record):
    """A sample played to its end or to an error."""

    scenario: str
    """Short name of the scenario."""
    sample_id: SampleId
    """The sample's own `id`."""
    repeat: Count = 0
    """Number of the repetition of the sample, from 0."""
    protocol: str
    condition: str
    outcome: OutcomeRecord
    answer: str | None
    """The category that the model gave."""
    target: str
    """The right category."""
    fewest: Count | None = None
    """Smallest number of suggestions that lead to the reference frame."""
    unseen: bool | None = None
    """Whether the object never appears in a train share of the data. Null if that is not known."""
    examples: list[SampleId] = []
    """Ids of the samples that were shown as solved examples before the first turn (`icl:N`)."""
    error: ErrorRecord | None
    usage: UsageRecord
    """The total of the turns, and of replies that are part of no turn because of the error."""
    turns: list[TurnRecord]

    @property
    def key(self) -> EpisodeKey:
        """Identifies an episode within its run."""
        return EpisodeKey(self.scenario, self.sample_id, self.repeat)
