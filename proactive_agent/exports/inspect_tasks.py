"""The seven scenarios as Inspect tasks; needs the extra `inspect`.

    inspect eval proactive_agent/rod --model openai/gpt-4.1 -T protocol=mcqa -T condition=hint

Inspect loads this module through its entry point. Inspect calls the model, with its own limits,
retries, cache and log. Prompts, parsing and verdicts are those of `run`, so a reply gets the same
score.
"""

import json
from collections.abc import Callable
from itertools import takewhile
from operator import eq
from typing import Any, ClassVar, Literal

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as InspectSample
from inspect_ai.log import transcript
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    GenerateConfig,
    execute_tools,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall as InspectCall
from inspect_ai.tool import ToolDef, ToolInfo, ToolParams
from pydantic import ValidationError

from proactive_agent.exports.inspect_parts import as_description
from proactive_agent.metrics.measures import extra_turns
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.providers import (
    AssistantMessage,
    Message,
    Part,
    Provider,
    Reply,
    Request,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.api.finish_reasons import normalised
from proactive_agent.records.describe import call_result, ending_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.manifest import Settings
from proactive_agent.records.pictures import as_data_uri
from proactive_agent.runs.prepare import make_play, samples_to_play
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.settings import ParserName, PlaySettings, RunSettings
from proactive_agent.tools import Tool, ToolCall, ToolsetName, UserError
from proactive_agent.tools.errors import first_problem

EPISODE = "proactive_agent:episode"
"""The key of the episode record in a sample's store."""


class InspectModel(Provider):
    """The model that Inspect evaluates. Inspect's errors are raised unchanged."""

    needs_images: ClassVar[bool] = True

    def __init__(self) -> None:
        self.conversation: list[ChatMessage] = []
        """The messages of the last request, and its reply."""
        self._sent: tuple[Message, ...] = ()
        self._tools: tuple[Tool, ...] = ()

    async def complete(self, request: Request) -> Reply:
        messages = await self._messages(request.messages)
        output = await get_model().generate(messages, tools=[_info(t) for t in request.tools])
        self.conversation = [*messages, output.message]
        self._sent, self._tools = request.messages, request.tools
        return Reply(
            text=output.message.text,
            tool_calls=tuple(map(_call, output.message.tool_calls or ())),
            finish_reason=normalised(output.stop_reason),
            tool_format="native" if request.tools else None,
            opaque=output.message,
        )

    async def record_result(self, result: str) -> None:
        """Records the result of the last reply's calls in Inspect; the model does not see it."""
        self.conversation += await self._execute(result)

    async def _messages(self, messages: tuple[Message, ...]) -> list[ChatMessage]:
        """Converts the conversation. Messages that were sent before keep their identity."""
        known = len(list(takewhile(bool, map(eq, self._sent, messages))))
        sent = self.conversation[:known]
        for message in messages[known:]:
            if isinstance(message, ToolMessage):
                sent += await self._execute([_content(part) for part in message.content])
            else:
                sent.append(_message(message))
        return sent

    async def _execute(self, result: str | list[Content]) -> list[ChatMessage]:
        """Executes the calls with Inspect, which writes them into its transcript."""

        async def tool(**kwargs: Any) -> str | list[Content]:
            return result

        tools = [
            ToolDef(tool, info.name, info.description, info.parameters)
            for info in map(_info, self._tools)
        ]
        return (await execute_tools(self.conversation, tools)).messages


@solver
def episode(scenario: str, settings: dict[str, Any]) -> Solver:
    """Solver that plays a sample to its end."""
    asked = Settings.from_json(settings)
    data = _data(asked)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = InspectModel()
        play: Play = make_play(asked, data, model)
        sample = data.find(scenario, str(state.sample_id))
        record = await play_episode(play, scenario, sample, repeat=state.epoch - 1)
        if record.error:
            raise RuntimeError(f"{record.error.kind}: {record.error.message}")
        await model.record_result(call_result(record, record.turns[-1]))
        transcript().info(
            [as_description(record, turn) for turn in record.turns], source="proactive_agent"
        )
        state.messages = model.conversation
        state.store.set(EPISODE, record.model_dump(mode="json"))
        state.completed = True
        return state

    return solve


@scorer(
    metrics={
        "correct": [accuracy(), stderr()],
        "informed": [accuracy(), stderr()],
        "psr": [mean()],
        "suggestions": [mean()],
    }
)
def outcome() -> Scorer:
    """Scorer with acc, informed accuracy, psr and suggestions, counted as in `run`."""

    async def score(state: TaskState, target: Target) -> Score:
        record = EpisodeRecord.model_validate(state.store.get(EPISODE))
        return Score(
            value={
                "correct": int(record.outcome.correct),
                "informed": int(bool(is_informed(record))),
                "psr": extra_turns(record),
                "suggestions": record.outcome.suggestions,
            },
            answer=record.answer,
            explanation=ending_of(record),
        )

    return score


def _task_of(scenario: str) -> Callable[..., Task]:
    @task(name=scenario)
    def scenario_task(
        data: str | None = None,
        protocol: Literal["tools", "mcqa"] = "tools",
        condition: str = RunSettings.condition,
        toolset: ToolsetName = PlaySettings.toolset,
        parser: ParserName = PlaySettings.parser,
        seed: int = PlaySettings.seed,
    ) -> Task:
        """One scenario. Inspect's own options (`--limit`, `--epochs`, …) apply as usual.

        Args:
            data: Folder of the data; by default the embedded suite.
            protocol: `tools` (function calling) or `mcqa` (the paper's multiple choice).
            condition: The condition: `hint`, `clear`, `history`, `a+b`, ...
            toolset: The tools of the state, the options of mcqa, all tools, or only tools that
                cannot help.
            parser: How strictly multiple-choice replies are read.
            seed: Seed of the conditions and the simulated user.
        """
        settings = _settings(
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
            for sample in samples_to_play(settings, _data(settings), scenario)
        ]
        return Task(
            dataset=MemoryDataset(samples, name=scenario, location=data),
            solver=episode(scenario, settings.as_json()),
            scorer=outcome(),
            config=GenerateConfig(parallel_tool_calls=False),
        )

    return scenario_task


TASKS = {scenario: _task_of(scenario) for scenario in SCENARIOS}
"""A task per scenario; making it registers it with Inspect."""


def _settings(**asked: Any) -> Settings:
    """Validates the settings. Raises Inspect's PrerequisiteError for invalid ones."""
    from inspect_ai._util.error import PrerequisiteError

    try:
        settings = Settings(provider="inspect:model", **asked)
        if settings.protocol == "oeg":
            raise UserError("protocol oeg needs a judge: use `proactive-agent run`")
        make_play(settings, _data(settings), InspectModel())
    except ValidationError as error:
        raise PrerequisiteError(first_problem(error)) from None
    except UserError as error:
        raise PrerequisiteError(str(error)) from None
    return settings


def _data(settings: Settings) -> DataFolder:
    return open_data(settings.data)


def _message(message: UserMessage | AssistantMessage) -> ChatMessage:
    if isinstance(message, AssistantMessage):
        if isinstance(message.opaque, ChatMessageAssistant):
            return message.opaque
        calls = [
            InspectCall(id=c.id, function=c.name, arguments=json.loads(c.arguments))
            for c in message.tool_calls
        ]
        return ChatMessageAssistant(content=message.text, tool_calls=calls or None)
    return ChatMessageUser(content=[_content(part) for part in message.content])


def _content(part: Part) -> Content:
    if isinstance(part, TextPart):
        return ContentText(text=part.text)
    return ContentImage(image=as_data_uri(part.load(), "PNG"))


def _info(tool: Tool) -> ToolInfo:
    parameters = ToolParams.model_validate(tool.schema())
    return ToolInfo(name=tool.name, description=tool.description, parameters=parameters)


def _call(call: InspectCall) -> ToolCall:
    # If Inspect could not parse the arguments, its error text is not valid JSON here either.
    arguments = call.parse_error or json.dumps(call.arguments)
    return ToolCall(call.function, arguments, call.id)
