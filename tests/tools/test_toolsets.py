import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from proactive_agent.tools import Answer, Intervention, Question
from proactive_agent.tools.catalogue import INTERVENTIONS, answer_tool
from proactive_agent.tools.render import (
    as_text,
    call_as_text,
    for_anthropic,
    for_chat_template,
    for_openai,
)
from proactive_agent.tools.texts import OPERATIONS
from proactive_agent.tools.toolsets import everything, foreign, offered

CATEGORIES = ("Cat.", "Dog.", "Fox.", "Owl.")
DENOISE = Intervention("enhance_image", "denoise")
DEBLUR = Intervention("enhance_image", "deblur")
ROTATE = Intervention("rotate_object")


def names(toolset: Any) -> list[str]:
    return [tool.name for tool in toolset.tools]


def test_the_scenario_toolset_holds_what_the_state_allows() -> None:
    toolset = offered([(DENOISE, "Denoise."), (DEBLUR, "Deblur.")], CATEGORIES)
    assert names(toolset) == ["enhance_image", "ask_clarification", "answer", "abstain"]
    enhance = toolset.find("enhance_image")
    assert enhance is not None
    assert enhance.parameters[0].choices == ("denoise", "deblur")
    assert "brightness" not in enhance.parameters[0].description


def test_the_samples_wordings_stand_in_the_description_of_a_tool_without_parameters() -> None:
    toolset = offered([(ROTATE, "Rotate it."), (ROTATE, "Show another side.")], CATEGORIES)
    rotate = toolset.find("rotate_object")
    assert rotate is not None
    assert rotate.description.endswith("Rotate it. / Show another side.")
    assert rotate.parameters == ()


def test_a_state_that_allows_nothing_leaves_no_intervention_tool() -> None:
    assert names(offered([], CATEGORIES)) == ["ask_clarification", "answer", "abstain"]


def test_all_holds_every_tool_with_every_value() -> None:
    toolset = everything(CATEGORIES)
    assert set(names(toolset)) == {*INTERVENTIONS, "ask_clarification", "answer", "abstain"}
    camera = toolset.find("move_camera")
    assert camera is not None
    assert camera.parameters[0].choices == ("left", "right", "up", "down", "farther")


def test_random_holds_only_other_scenarios_tools() -> None:
    toolset = foreign(frozenset({"seek_video"}), CATEGORIES)
    assert "seek_video" not in names(toolset)
    assert set(names(toolset)) == {*INTERVENTIONS, "answer", "abstain"} - {"seek_video"}


def test_categories_are_shown_without_their_full_stop_and_spelled_as_in_the_data() -> None:
    tool = answer_tool(CATEGORIES)
    assert tool.parameters[0].choices == ("Cat", "Dog", "Fox", "Owl")
    assert tool.to_action({"category": "Fox"}) == Answer("Fox.")


def test_categories_that_differ_in_the_full_stop_alone_are_shown_as_they_are() -> None:
    tool = answer_tool(("Cat", "Cat."))
    assert tool.parameters[0].choices == ("Cat", "Cat.")
    assert tool.to_action({"category": "Cat."}) == Answer("Cat.")


@pytest.mark.parametrize("tool", everything(CATEGORIES).tools, ids=lambda tool: tool.name)
def test_schemas_are_valid_and_accept_what_the_tool_takes(tool: Any) -> None:
    schema = tool.schema()
    Draft202012Validator.check_schema(schema)
    valid = Draft202012Validator(schema)
    arguments = {p.name: p.choices[0] if p.choices else "text" for p in tool.parameters}
    assert valid.is_valid(arguments)
    assert not valid.is_valid({**arguments, "other": "x"})
    assert not valid.is_valid(dict.fromkeys(arguments, 3)) or not arguments


def test_every_closed_call_fits_its_schema() -> None:
    toolset = everything(CATEGORIES)
    calls = list(toolset.closed_calls())
    assert len(calls) == 2 + 2 + 1 + len(OPERATIONS) + 1 + 5 + len(CATEGORIES) + 1
    for name, arguments, action in calls:
        tool = toolset.find(name)
        assert tool is not None
        assert Draft202012Validator(tool.schema()).is_valid(arguments)
        assert not isinstance(action, Question)


def test_rendering_for_openai_and_chat_templates() -> None:
    tools = everything(CATEGORIES).tools
    rendered = for_openai(tools)
    assert rendered == for_chat_template(tools)
    assert rendered[0]["type"] == "function"
    assert rendered[0]["function"]["name"] == tools[0].name
    assert rendered[0]["function"]["parameters"] == tools[0].schema()


def test_rendering_for_anthropic() -> None:
    tools = everything(CATEGORIES).tools
    assert for_anthropic(tools)[0] == {
        "name": tools[0].name,
        "description": tools[0].description,
        "input_schema": tools[0].schema(),
    }


def test_rendering_as_text_names_every_tool_and_value() -> None:
    text = as_text(everything(CATEGORIES).tools)
    for name, arguments, _ in everything(CATEGORIES).closed_calls():
        assert f"- {name}(" in text
        assert all(json.dumps(value) in text for value in arguments.values())


def test_a_call_written_as_text_is_json_between_marks() -> None:
    written = call_as_text("move_object", '{"direction": "left"}')
    inside = written.removeprefix("<tool_call>").removesuffix("</tool_call>")
    assert json.loads(inside) == {"name": "move_object", "arguments": {"direction": "left"}}
