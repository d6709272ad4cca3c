"""The seven scenarios as Inspect tasks; needs the extra `inspect`.

    inspect eval proactive_agent/rod --model openai/gpt-4.1 -T protocol=mcqa -T condition=hint

Inspect loads this through its entry point.  It asks the model, with its own limits, retries, cache
and log; prompts, the reading of replies and the verdicts are this program's, so a reply scores as
it does in `run`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as InspectSample
from inspect_ai.log import transcript
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    GenerateConfig,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall as InspectCall
from inspect_ai.tool import ToolInfo, ToolParams

from proactive_agent.episode import Play, play_episode
from proactive_agent.exports.pictures import as_data_uri
from proactive_agent.manifest import Settings
from proactive_agent.records import EpisodeRecord
from proactive_agent.runner import make_play
from providers import (
    AssistantMessage,
    Message,
    Part,
    Provider,
    ProviderOptions,
    Reply,
    Request,
    TextPart,
    ToolMessage,
)
from scenarios import DataFolder
from tools import Tool, ToolCall

EPISODE = "proactive_agent:episode"
"""Where a sample's store keeps its record."""


class InspectModel(Provider):
    """The model that Inspect evaluates.  What goes wrong there is raised as Inspect raises it."""

    needs_images: ClassVar[bool] = True

    def __init__(self) -> None:
        self.conversation: list[ChatMessage] = []
        """What was sent last, and the reply."""

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls()

    async def complete(self, request: Request) -> Reply:
        messages = [_message(message) for message in request.messages]
        output = await get_model().generate(messages, tools=[_info(t) for t in request.tools])
        self.conversation = [*messages, output.message]
        return Reply(
            text=output.message.text,
            tool_calls=tuple(map(_call, output.message.tool_calls or ())),
            finish_reason=output.stop_reason,
            tool_format="native" if request.tools else None,
            opaque=output.message,
        )


@solver
def episode(scenario: str, settings: dict[str, Any]) -> Solver:
    """Plays a sample to its end."""
    asked = Settings.model_validate(settings)
    data = _data(asked)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = InspectModel()
        play: Play = make_play(asked, data, model)
        sample = data.find(scenario, str(state.sample_id))
        record = await play_episode(play, scenario, sample, repeat=state.epoch - 1)
        for turn in record.turns:
            transcript().info(
                {"action": turn.action.model_dump(), "verdict": turn.verdict.model_dump()},
                source="proactive_agent",
            )
        if record.error:
            raise RuntimeError(f"{record.error.kind}: {record.error.message}")
        state.messages = model.conversation
        state.store.set(EPISODE, record.model_dump(mode="json"))
        state.completed = True
        return state

    return solve


@scorer(metrics={"correct": [accuracy(), stderr()], "psr": [mean()], "suggestions": [mean()]})
def outcome() -> Scorer:
    """acc, psr and suggestions as `run` counts them."""

    async def score(state: TaskState, target: Target) -> Score:
        record = EpisodeRecord.model_validate(state.store.get(EPISODE))
        return Score(
            value={
                "correct": int(record.outcome.correct),
                "psr": record.outcome.turns - 1,
                "suggestions": record.outcome.suggestions,
            },
            answer=record.answer,
            explanation=record.outcome.stop,
        )

    return score


def _task_of(scenario: str) -> Callable[..., Task]:
    @task(name=scenario)
    def scenario_task(
        data: str | None = None,
        protocol: Literal["tools", "mcqa"] = "tools",
        condition: str = "zero-shot",
        toolset: Literal["scenario", "all", "random"] = "scenario",
        parser: Literal["official", "lenient"] = "official",
        seed: int = 0,
    ) -> Task:
        settings = Settings(
            provider="inspect:model",
            data=data,
            scenarios=(scenario,),
            protocol=protocol,
            condition=condition,
            toolset=toolset,
            parser=parser,
            seed=seed,
        )
        samples = [
            InspectSample(id=sample.id, input=sample.prompt, target=sample.answer)
            for sample in _data(settings).samples(scenario)
        ]
        return Task(
            dataset=MemoryDataset(samples, name=scenario, location=data),
            solver=episode(scenario, settings.model_dump(mode="json")),
            scorer=outcome(),
            config=GenerateConfig(parallel_tool_calls=False),
        )

    return scenario_task


rod = _task_of("rod")
vsod = _task_of("vsod")
mvp_n = _task_of("mvp-n")
imagenet_c = _task_of("imagenet-c")
quickdraw = _task_of("quickdraw")
changeit = _task_of("changeit")
coco = _task_of("coco")


def _data(settings: Settings) -> DataFolder:
    return DataFolder(None if settings.data is None else Path(settings.data))


def _message(message: Message) -> ChatMessage:
    if isinstance(message, AssistantMessage):
        if isinstance(message.opaque, ChatMessageAssistant):
            return message.opaque
        calls = [
            InspectCall(id=c.id, function=c.name, arguments=json.loads(c.arguments))
            for c in message.tool_calls
        ]
        return ChatMessageAssistant(content=message.text, tool_calls=calls or None)
    content = [_content(part) for part in message.content]
    if isinstance(message, ToolMessage):
        call = message.call
        return ChatMessageTool(content=content, tool_call_id=call.id, function=call.name)
    return ChatMessageUser(content=content)


def _content(part: Part) -> Content:
    if isinstance(part, TextPart):
        return ContentText(text=part.text)
    return ContentImage(image=as_data_uri(part.load(), "PNG"))


def _info(tool: Tool) -> ToolInfo:
    parameters = ToolParams.model_validate(tool.schema())
    return ToolInfo(name=tool.name, description=tool.description, parameters=parameters)


def _call(call: InspectCall) -> ToolCall:
    # Arguments that Inspect could not parse stand for themselves: no JSON here either.
    arguments = call.parse_error or json.dumps(call.arguments)
    return ToolCall(call.function, arguments, call.id)
