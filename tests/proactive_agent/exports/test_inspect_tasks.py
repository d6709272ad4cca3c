"""Inspect tasks score replies like `run`."""

import json
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS, DataFolder
from tests.proactive_agent.running import play_new

inspect_ai = pytest.importorskip("inspect_ai")

# Inspect's libraries emit warnings, and its loop leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore")

LIMIT = 3


def records(settings: Settings, results: Path) -> dict[tuple[str, str], EpisodeRecord]:
    folder = play_new(settings, results)
    return {(e.scenario, str(e.sample_id)): e for e in folder.episodes()}


def as_output(turn: TurnRecord) -> Any:
    """The reply of a record as the output of an Inspect model."""
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        ModelOutput,
        ModelUsage,
    )
    from inspect_ai.tool import ToolCall

    calls = [
        ToolCall(id=call.id, function=call.name, arguments=json.loads(call.arguments))
        for call in turn.reply.tool_calls
    ]
    message = ChatMessageAssistant(content=turn.reply.text, tool_calls=calls or None)
    return ModelOutput(
        model="mockllm",
        choices=[ChatCompletionChoice(message=message)],
        usage=ModelUsage(),  # without it, Inspect downloads a vocabulary
    )


@pytest.mark.parametrize(
    ("protocol", "provider"), [("tools", "baseline:random"), ("mcqa", "baseline:oracle")]
)
def test_the_same_replies_score_the_same(protocol: Any, provider: str, tmp_path: Path) -> None:
    names = tuple(SCENARIOS)
    settings = Settings(provider=provider, scenarios=names, protocol=protocol, limit=LIMIT)
    ours = records(settings, tmp_path)
    by_scenario = {
        name: [record for (scenario, _), record in ours.items() if scenario == name]
        for name in names
    }
    for name in names:
        wanted = {str(record.sample_id): record for record in by_scenario[name]}
        waiting = [as_output(turn) for record in ordered(wanted, name) for turn in record.turns]
        model = inspect_ai.model.get_model("mockllm/model", custom_outputs=waiting)
        (log,) = inspect_ai.eval(
            f"proactive_agent/{name}",
            model=model,
            limit=LIMIT,
            max_samples=1,
            task_args={"protocol": protocol},
            log_dir=str(tmp_path / "logs"),
            display="none",
        )
        assert log.status == "success", log.error and log.error.message
        for sample in log.samples:
            record = wanted[str(sample.id)]
            assert sample.scores["outcome"].value == {
                "correct": int(record.outcome.correct),
                "informed": int(bool(is_informed(record))),
                "psr": record.outcome.turns - 1,
                "suggestions": record.outcome.suggestions,
            }
            assert sample.scores["outcome"].answer == record.answer
            called = [event.function for event in sample.events if event.event == "tool"]
            assert called == [c.name for t in record.turns for c in t.reply.tool_calls]


def ordered(wanted: dict[str, EpisodeRecord], scenario: str) -> list[EpisodeRecord]:
    """Records in the order of the data, which is also Inspect's."""
    return [wanted[str(sample.id)] for sample in DataFolder().samples(scenario, LIMIT)]


def test_arguments_that_are_not_json_are_invalid(tmp_path: Path) -> None:
    from inspect_ai.model import ModelOutput, ModelUsage

    output = ModelOutput.for_tool_call("mockllm", "answer", {})
    output.choices[0].message.tool_calls[0].parse_error = "Error parsing the arguments"  # type: ignore[index]
    output.usage = ModelUsage()
    model = inspect_ai.model.get_model("mockllm/model", custom_outputs=[output])
    (log,) = inspect_ai.eval(
        "proactive_agent/rod", model=model, limit=1, log_dir=str(tmp_path), display="none"
    )
    (info,) = [event for event in log.samples[0].events if event.event == "info"]
    assert info.data[0]["action"].startswith("invalid: bad_json")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"protocol": "oeg"}, "oeg needs a judge"),
        ({"protocol": "guess"}, "protocol: Input should be 'tools', 'mcqa'"),
        ({"condition": "nope"}, "nope"),
        ({"data": "/nowhere"}, "/nowhere is not a folder"),
    ],
)
def test_invalid_settings_are_refused_before_the_first_request(
    asked: dict[str, Any], said: str
) -> None:
    from inspect_ai._util.error import PrerequisiteError

    from proactive_agent.exports.inspect_tasks import TASKS

    with pytest.raises(PrerequisiteError) as error:
        TASKS["rod"](**asked)
    assert said in str(error.value.message)


def test_a_conversation_keeps_its_messages(tmp_path: Path) -> None:
    from inspect_ai.model import ModelOutput, ModelUsage

    outputs = [
        ModelOutput.for_tool_call("mockllm", "move_object", {"direction": "left"}),
        ModelOutput.for_tool_call("mockllm", "answer", {"category": "nothing such"}),
    ]
    for output in outputs:
        output.usage = ModelUsage()
    model = inspect_ai.model.get_model("mockllm/model", custom_outputs=outputs)
    (log,) = inspect_ai.eval(
        "proactive_agent/rod", model=model, limit=1, log_dir=str(tmp_path), display="none"
    )
    (sample,) = log.samples
    first, second = (event for event in sample.events if event.event == "model")
    assert [m.id for m in second.input[:2]] == [first.input[0].id, first.output.message.id]
    tools = [event for event in sample.events if event.event == "tool"]
    assert [content.type for content in tools[0].result] == ["text", "image"]
    assert tools[1].error is not None
