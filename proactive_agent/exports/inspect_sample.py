"""Converts an episode to a sample of an Inspect log: messages, events, scores."""

from datetime import timedelta
from itertools import count, zip_longest
from typing import Any

from proactive_agent.exports.inspect_parts import (
    as_arguments,
    as_description,
    as_metadata,
    as_output,
    as_tools,
    as_usage,
)
from proactive_agent.metrics.measures import extra_turns
from proactive_agent.records.describe import call_result, ending_of
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.records.failures import group
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.pictures import Pictures

OUTCOME, PSR = "outcome", "psr"
"""Names of the scorers: whether the category was right (C or I), and the turns before the last."""


class SampleLog:
    """Builds the `EvalSample` of an episode."""

    def __init__(self, episode: EpisodeRecord, manifest: Manifest, pictures: Pictures) -> None:
        self.episode = episode
        self.model = manifest.settings.provider
        self.keeps = _keeps_conversation(manifest)
        self.pictures = pictures
        self.started = manifest.started
        self.seconds = 0.0
        self.id = f"{episode.scenario}:{episode.sample_id}"
        self._numbers = count()
        self.messages: list[Any] = []
        """All messages of the episode."""
        self.asked: list[Any] = []
        """The conversation of the last request, and its reply."""
        self.events: list[Any] = []

    def as_sample(self) -> Any:
        """Returns the `EvalSample`."""
        from inspect_ai.log import EvalSample
        from inspect_ai.model import ModelOutput

        questions = self._questions()
        output = ModelOutput(model=self.model)
        for turn, message, after in zip_longest(self.episode.turns, questions, questions[1:]):
            output = self._add(turn, message, after)
        self._add_end()
        episode, first = self.episode, self.messages[:1]
        completed = self.started + timedelta(seconds=self.seconds)
        usage = as_usage(episode.usage)
        return EvalSample(
            id=self.id,
            epoch=episode.repeat + 1,
            uuid=f"{self.id}:{episode.repeat}",
            input=first or "(the model was not asked)",
            choices=self._choices(),
            target=episode.target,
            messages=self.messages,
            output=output,
            scores=self._scores(),
            metadata={
                "scenario": episode.scenario,
                "sample_id": episode.sample_id,
                "stop": episode.outcome.stop,
                "suggestions": episode.outcome.suggestions,
                "fewest": episode.fewest,
            },
            events=self.events,
            model_usage={self.model: usage} if usage else {},
            started_at=self.started.isoformat(),
            completed_at=completed.isoformat(),
            total_time=self.seconds,
            working_time=self.seconds,
            error=self._error(),
            turn_count=len(episode.turns),
            limit=self._limit(),
        )

    def _add(self, turn: TurnRecord, message: Any, after: Any) -> Any:
        """Adds the messages and events of a turn; `after` is the next turn's question."""
        from inspect_ai.event import InfoEvent, ModelEvent
        from inspect_ai.model import GenerateConfig

        output = as_output(turn, self.model, self._id("reply"))
        self.asked = [*self.asked, message] if self.keeps else [message]
        tools = as_tools(turn)
        self.events.append(
            ModelEvent(
                **self._place(),
                model=self.model,
                input=self.asked,
                tools=tools,
                tool_choice="auto" if tools else "none",
                config=GenerateConfig(),
                output=output,
                cache="read" if turn.usage.cache_hits else None,
                working_time=turn.usage.seconds,
            )
        )
        self.messages += [message, output.choices[0].message]
        self.asked = [*self.asked, output.choices[0].message]
        self.seconds += turn.usage.seconds or 0.0
        self._add_calls(turn, after)
        read_as = InfoEvent(
            **self._place(), source="proactive_agent", data=as_description(self.episode, turn)
        )
        self.events.append(read_as)
        return output

    def _add_calls(self, turn: TurnRecord, after: Any) -> None:
        """Adds a tool event per call, with the user's answer and the next picture as its result."""
        from inspect_ai.event import ToolEvent
        from inspect_ai.tool import ToolCallError

        answered = after is not None and after.role == "tool"
        for call in turn.reply.tool_calls:
            fields, problem = as_arguments(call)
            why = turn.action.why
            detail = problem or turn.action.detail or why or ""
            self.events.append(
                ToolEvent(
                    **self._place(),
                    id=call.id or f"call-{turn.index}",
                    function=call.name,
                    arguments=fields,
                    result=after.content if answered else call_result(self.episode, turn),
                    error=ToolCallError("parsing", detail) if why else None,
                    working_time=0.0,
                    message_id=after.id if answered else None,
                    metadata=as_metadata(turn),
                )
            )

    def _add_end(self) -> None:
        """Adds the events for an error, the turn limit and the scores."""
        from inspect_ai.event import ErrorEvent, SampleLimitEvent, ScoreEvent

        if error := self._error():
            self.events.append(ErrorEvent(**self._place(), error=error))
        if limit := self._limit():
            self.events.append(
                SampleLimitEvent(
                    **self._place(), type="custom", message="turn limit", limit=limit.limit
                )
            )
        for name, score in (self._scores() or {}).items():
            self.events.append(
                ScoreEvent(**self._place(), score=score, target=self.episode.target, scorer=name)
            )

    def _questions(self) -> list[Any]:
        """Returns the message that each turn showed to the model."""
        turns = self.episode.turns
        return [
            self._question(turn, previous)
            for turn, previous in zip(turns, [None, *turns], strict=False)
        ]

    def _question(self, turn: TurnRecord, previous: TurnRecord | None) -> Any:
        from inspect_ai.model import (
            ChatMessageTool,
            ChatMessageUser,
            ContentImage,
            ContentText,
        )

        uri = self.pictures.data_uri(turn.image)
        picture = ContentImage(image=uri) if uri else ContentText(text=f"[{turn.image.path}]")
        text = ContentText(text=turn.prompt)
        if not self.keeps or previous is None or self.episode.protocol != "tools":
            return ChatMessageUser(id=self._id("question"), content=[picture, text])
        # The protocol `tools` sends the result of the action and, if it changed, the picture.
        content = [text, picture] if previous.verdict.suggestion == "correct" else [text]
        if previous.via == "call":
            call = previous.reply.tool_calls[0]
            return ChatMessageTool(
                id=self._id("result"),
                content=content,
                tool_call_id=call.id or f"call-{previous.index}",
                function=call.name,
            )
        return ChatMessageUser(id=self._id("question"), content=content)

    def _choices(self) -> list[str] | None:
        """The options of the first turn (`mcqa` only)."""
        turns = self.episode.turns
        return (turns[0].options or None) if turns else None

    def _limit(self) -> Any:
        from inspect_ai.log import EvalSampleLimit

        outcome = self.episode.outcome
        if outcome.stop != "turn_limit":
            return None
        return EvalSampleLimit(type="custom", limit=outcome.turns)

    def _scores(self) -> dict[str, Any] | None:
        from inspect_ai.scorer import CORRECT, INCORRECT, Score

        episode = self.episode
        if episode.error:
            return None
        outcome, failure = episode.outcome, group(episode)
        return {
            OUTCOME: Score(
                value=CORRECT if outcome.correct else INCORRECT,
                answer=episode.answer,
                explanation=ending_of(episode),
                metadata={
                    "suggestions": outcome.suggestions,
                    "informed": is_informed(episode),
                    "failure": failure.name if failure else None,
                },
            ),
            PSR: Score(value=extra_turns(episode)),
        }

    def _error(self) -> Any:
        from inspect_ai.log import EvalError

        error = self.episode.error
        if error is None:
            return None
        message = f"{error.source}: {error.kind}: {error.message}"
        return EvalError(message=message, traceback="", traceback_ansi="")

    def _place(self) -> dict[str, Any]:
        """The id and the time of the next event."""
        moment = self.started + timedelta(seconds=self.seconds)
        return {
            "uuid": self._id("event"),
            "timestamp": moment,
            "working_start": self.seconds,
        }

    def _id(self, kind: str) -> str:
        """Returns a new id, which is the same in every export of the run."""
        return f"{self.id}:{self.episode.repeat}:{kind}:{next(self._numbers)}"


def _keeps_conversation(manifest: Manifest) -> bool:
    """Whether each request contained the turns before it."""
    from proactive_agent.play.conditions import parse_condition
    from proactive_agent.play.protocols import ToolUse

    settings = manifest.settings
    condition = parse_condition(settings.condition, settings.protocol)
    return condition.keeps_conversation(settings.protocol == ToolUse.name)
