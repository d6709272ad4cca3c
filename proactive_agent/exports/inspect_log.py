"""An Inspect log (`.eval`), which `inspect view` opens.

Turns become model events, interventions tool events, outcomes scores.  The records hold durations,
not moments: an event's time is the start of the run and the seconds spent in its episode so far.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from proactive_agent.exports.pictures import Pictures
from proactive_agent.manifest import Manifest
from proactive_agent.metrics import summarise
from proactive_agent.records import CallRecord, EpisodeRecord, TurnRecord, UsageRecord
from proactive_agent.run_folder import RunFolder
from tools import MissingExtraError

SCORER = "outcome"


def write_inspect_log(run: RunFolder, file: Path) -> list[Path]:
    """One log of the whole run; a sample per episode, an epoch per repetition."""
    try:
        from inspect_ai.log import write_eval_log
    except ModuleNotFoundError:
        raise MissingExtraError("inspect", "export --format inspect") from None
    file.parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(as_eval_log(run), str(file), format="eval")
    return [file]


def as_eval_log(run: RunFolder) -> Any:
    """The run as an `EvalLog`."""
    from inspect_ai.log import EvalLog, EvalPlan, EvalPlanStep, EvalStats

    manifest = run.read_manifest()
    settings = manifest.settings
    pictures = Pictures(manifest)
    samples = [_Sample(episode, manifest, pictures).as_sample() for episode in run.episodes()]
    steps = [EvalPlanStep(solver="proactive_agent", params=settings.model_dump(mode="json"))]
    return EvalLog(
        status={"running": "started", "finished": "success", "interrupted": "cancelled"}.get(
            manifest.status, "error"
        ),
        eval=_spec(manifest, samples),
        plan=EvalPlan(name="proactive_agent", steps=steps),
        results=_results(run),
        stats=EvalStats(
            started_at=manifest.started.isoformat(),
            completed_at=manifest.ended.isoformat() if manifest.ended else "",
            model_usage=_sum_of(sample.model_usage for sample in samples),
        ),
        samples=samples,
    )


def _spec(manifest: Manifest, samples: list[Any]) -> Any:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec
    from inspect_ai.model import GenerateConfig

    settings, how = manifest.settings, manifest.settings.provider_settings
    return EvalSpec(
        eval_id=manifest.run_id,
        run_id=manifest.run_id,
        created=manifest.started.isoformat(),
        task=f"proactive_agent {settings.protocol}, {settings.condition}",
        task_id=manifest.run_id,
        task_version=manifest.tool_texts,
        task_args=settings.model_dump(mode="json", exclude={"provider_settings"}),
        dataset=EvalDataset(
            name="embedded suite" if manifest.data.embedded else "ProactiveBench",
            samples=len({sample.id for sample in samples}),
            sample_ids=list(dict.fromkeys(sample.id for sample in samples)),
        ),
        model=settings.provider,
        model_generate_config=GenerateConfig(
            max_tokens=how.max_tokens, temperature=how.temperature, seed=settings.seed
        ),
        config=EvalConfig(epochs=settings.repeats),
        packages=manifest.versions,
        metadata={"data": manifest.data.model_dump(), "provider": manifest.provider},
    )


def _results(run: RunFolder) -> Any:
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore

    summary = summarise(run.outlines())
    values: dict[str, float | None] = {"acc": summary.acc.value, "psr": summary.psr.value}
    for name, scenario in summary.scenarios.items():
        values |= {f"{name} acc": scenario.acc.value, f"{name} psr": scenario.psr.value}
    played = sum(scenario.episodes for scenario in summary.scenarios.values())
    metrics = {
        name: EvalMetric(name=name, value=value)
        for name, value in values.items()
        if value is not None
    }
    return EvalResults(
        total_samples=played + summary.errors,
        completed_samples=played,
        scores=[
            EvalScore(
                name=SCORER,
                scorer=f"proactive_agent/{SCORER}",
                scored_samples=played,
                unscored_samples=summary.errors,
                metrics=metrics,
            )
        ],
    )


class _Sample:
    """An episode on its way to an `EvalSample`."""

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
        """Of the whole episode."""
        self.asked: list[Any] = []
        """The conversation as the model saw it last."""
        self.events: list[Any] = []

    def as_sample(self) -> Any:
        from inspect_ai.log import EvalSample
        from inspect_ai.model import ModelOutput

        previous: TurnRecord | None = None
        output = ModelOutput(model=self.model)
        for turn in self.episode.turns:
            output = self._add(turn, previous)
            previous = turn
        episode, first = self.episode, self.messages[:1]
        completed = self.started + timedelta(seconds=self.seconds)
        return EvalSample(
            id=self.id,
            epoch=episode.repeat + 1,
            uuid=f"{self.id}:{episode.repeat}",
            input=first or episode.scenario,
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
            model_usage={self.model: _usage(episode.usage)},
            started_at=self.started.isoformat(),
            completed_at=completed.isoformat(),
            total_time=self.seconds,
            working_time=self.seconds,
            error=self._error(),
            turn_count=len(episode.turns),
        )

    def _add(self, turn: TurnRecord, previous: TurnRecord | None) -> Any:
        """The messages and events of a turn."""
        from inspect_ai.event import ModelEvent
        from inspect_ai.model import GenerateConfig

        message = self._question(turn, previous)
        output = _output(turn, self.model, self._id("reply"))
        self.asked = [*self.asked, message] if self.keeps else [message]
        tools = _tools(turn)
        self.events.append(
            ModelEvent(
                uuid=self._id("event"),
                timestamp=self._now(),
                working_start=self.seconds,
                model=self.model,
                input=self.asked,
                tools=tools,
                tool_choice="auto" if tools else "none",
                config=GenerateConfig(),
                output=output,
                cache="read" if turn.usage.cache_hits else None,
                working_time=turn.usage.seconds,
                metadata=_verdict(turn),
            )
        )
        self.messages += [message, output.choices[0].message]
        self.asked = [*self.asked, output.choices[0].message]
        self.seconds += turn.usage.seconds or 0.0
        self._add_calls(turn)
        return output

    def _add_calls(self, turn: TurnRecord) -> None:
        """One tool event per call: what the user made of it."""
        from inspect_ai.event import ToolEvent
        from inspect_ai.tool import ToolCallError

        for call in turn.reply.tool_calls:
            fields, problem = _arguments(call)
            why = turn.action.why
            detail = problem or turn.action.detail or why or ""
            self.events.append(
                ToolEvent(
                    uuid=self._id("event"),
                    timestamp=self._now(),
                    working_start=self.seconds,
                    id=call.id or f"call-{turn.index}",
                    function=call.name,
                    arguments=fields,
                    result=_result(turn),
                    error=ToolCallError("parsing", detail) if why else None,
                    working_time=0.0,
                    metadata=_verdict(turn),
                )
            )

    def _question(self, turn: TurnRecord, previous: TurnRecord | None) -> Any:
        from inspect_ai.model import (
            ChatMessageTool,
            ChatMessageUser,
            ContentImage,
            ContentText,
        )

        uri = self.pictures.data_uri(turn.image)
        picture = ContentImage(image=uri) if uri else ContentText(text=f"[{turn.image.path}]")
        content = [picture, ContentText(text=turn.prompt)]
        if self.keeps and previous is not None and previous.via == "call":
            call = previous.reply.tool_calls[0]
            return ChatMessageTool(
                id=self._id("result"),
                content=content,
                tool_call_id=call.id or f"call-{previous.index}",
                function=call.name,
            )
        return ChatMessageUser(id=self._id("question"), content=content)

    def _scores(self) -> dict[str, Any] | None:
        from inspect_ai.scorer import CORRECT, INCORRECT, Score

        episode = self.episode
        if episode.error:
            return None
        return {
            SCORER: Score(
                value=CORRECT if episode.outcome.correct else INCORRECT,
                answer=episode.answer,
                explanation=episode.outcome.stop,
                metadata={"suggestions": episode.outcome.suggestions},
            )
        }

    def _error(self) -> Any:
        from inspect_ai.log import EvalError

        error = self.episode.error
        if error is None:
            return None
        message = f"{error.source}: {error.kind}: {error.message}"
        return EvalError(message=message, traceback="", traceback_ansi="")

    def _now(self) -> datetime:
        return self.started + timedelta(seconds=self.seconds)

    def _id(self, what: str) -> str:
        """The same in every export of the run."""
        return f"{self.id}:{self.episode.repeat}:{what}:{next(self._numbers)}"


def _keeps_conversation(manifest: Manifest) -> bool:
    """Whether a turn's request held the turns before."""
    from proactive_agent.conditions import parse_condition
    from proactive_agent.protocols import ToolUse

    settings = manifest.settings
    condition = parse_condition(settings.condition, settings.protocol)
    return condition.keeps_conversation(settings.protocol == ToolUse.name)


def _output(turn: TurnRecord, model: str, message_id: str) -> Any:
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput
    from inspect_ai.tool import ToolCall

    calls = []
    for call in turn.reply.tool_calls:
        fields, problem = _arguments(call)
        calls.append(
            ToolCall(
                id=call.id or f"call-{turn.index}",
                function=call.name,
                arguments=fields,
                parse_error=problem,
            )
        )
    message = ChatMessageAssistant(
        id=message_id,
        content=turn.reply.text,
        tool_calls=calls or None,
        model=model,
        source="generate",
    )
    reasons = {"tool_calls": "tool_calls", "length": "max_tokens"}
    stop: Any = reasons.get(turn.reply.finish_reason or "", "stop")
    return ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=message, stop_reason=stop)],
        usage=_usage(turn.usage),
        time=turn.usage.seconds,
    )


def _arguments(call: CallRecord) -> tuple[dict[str, Any], str | None]:
    """The arguments as an object; what is none stands whole beside the reason."""
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return {"unparsed": call.arguments}, f"no JSON: {error}"
    if isinstance(value, dict):
        return value, None
    return {"unparsed": call.arguments}, "no JSON object"


def _tools(turn: TurnRecord) -> list[Any]:
    from inspect_ai.tool import ToolInfo, ToolParam, ToolParams

    return [
        ToolInfo(
            name=tool.name,
            description=tool.name,
            parameters=ToolParams(
                properties={
                    name: ToolParam(type="string", enum=values)
                    for name, values in tool.parameters.items()
                },
                required=list(tool.parameters),
            ),
        )
        for tool in turn.tools
    ]


def _result(turn: TurnRecord) -> str:
    """What came of a call, in words."""
    if turn.verdict.category != "mismatch":
        return f"answer: {turn.verdict.category}"
    if turn.action.kind == "intervention":
        return "done" if turn.verdict.suggestion == "correct" else "not possible here"
    return turn.action.why or turn.action.kind


def _verdict(turn: TurnRecord) -> dict[str, Any]:
    action = turn.action.model_dump(exclude_none=True)
    return {"action": action, "verdict": turn.verdict.model_dump(), "via": turn.via}


def _usage(usage: UsageRecord) -> Any:
    from inspect_ai.model import ModelUsage

    given, written = usage.input_tokens or 0, usage.output_tokens or 0
    return ModelUsage(
        input_tokens=given,
        output_tokens=written,
        total_tokens=given + written,
        input_tokens_cache_read=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_cost=usage.cost_usd,
    )


def _sum_of(usages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for usage in usages:
        for model, one in usage.items():
            total[model] = total[model] + one if model in total else one
    return total
