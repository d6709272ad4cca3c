import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_agent.tools import (
    Abstain,
    Answer,
    Intervention,
    Invalid,
    Question,
    ToolCall,
    Toolset,
    calls_in_text,
    read_reply,
)
from proactive_agent.tools.catalogue import answer_tool
from proactive_agent.tools.reading import categories_named
from proactive_agent.tools.toolsets import everything, foreign, offered

CATEGORIES = ("Coffee cup.", "Cup.", "Mug.", "Teapot.")
LEFT = Intervention("move_object", "left")
RIGHT = Intervention("move_object", "right")
ROTATE = Intervention("rotate_object")
ROD = offered([(LEFT, "Move it left."), (RIGHT, "Move it right.")], CATEGORIES)


def read(*calls: ToolCall, text: str = "", toolset: Toolset = ROD) -> Any:
    return read_reply(text, calls, toolset, CATEGORIES).action


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name, json.dumps(arguments))


@pytest.mark.parametrize(
    ("made", "action"),
    [
        (call("move_object", direction="left"), LEFT),
        (call("answer", category="Mug"), Answer("Mug.")),
        (call("abstain"), Abstain("")),
        (call("abstain", reason="dark"), Abstain("dark")),
        (call("ask_clarification", question="Move it?"), Question("Move it?")),
        (ToolCall("abstain", ""), Abstain("")),
    ],
)
def test_one_valid_call_is_its_action(made: ToolCall, action: object) -> None:
    assert read(made) == action


@pytest.mark.parametrize(
    ("made", "why", "detail"),
    [
        (call("fly"), "unknown_tool", "fly"),
        (call("seek_video", direction="wait"), "unknown_tool", "seek_video"),
        (call("move_object", direction="up"), "bad_arguments", "left, right; not up"),
        (call("move_object"), "bad_arguments", "needs direction"),
        (call("move_object", direction=None), "bad_arguments", "no text: null"),
        (call("move_object", direction="left", far=True), "bad_arguments", "no parameter far"),
        (ToolCall("move_object", '"left"'), "bad_arguments", "takes an object"),
        (ToolCall("move_object", "{'direction': 'left'}"), "bad_json", "{'direction'"),
        (ToolCall("move_object", '{"direction": "left"'), "bad_json", "character 20"),
        (ToolCall("move_object", '{"direction": "left", "direction": "right"}'), "bad_json",
         "twice"),
        (ToolCall("move_object", "[" * 100_000), "bad_json", "recursion"),
        (call("answer", category="Kettle"), "bad_arguments", "not Kettle"),
    ],
)  # fmt: skip
def test_a_call_that_does_not_validate_is_invalid_with_its_reason(
    made: ToolCall, why: str, detail: str
) -> None:
    action = read(made)
    assert isinstance(action, Invalid)
    assert action.why == why
    assert detail in action.detail


def test_several_calls_at_once_are_invalid_even_if_each_is_fine() -> None:
    action = read(call("move_object", direction="left"), call("answer", category="Mug"))
    assert action == Invalid("several_calls", "move_object, answer")


def test_case_and_full_stop_are_overlooked_and_noted() -> None:
    reading = read_reply("", [call("answer", category="coffee CUP.")], ROD, CATEGORIES)
    assert reading.action == Answer("Coffee cup.")
    assert reading.notes == ("category 'coffee CUP.' read as 'Coffee cup'",)


def test_a_call_counts_whatever_text_stands_beside_it() -> None:
    assert read(call("abstain"), text="It is a mug.") == Abstain("")


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("It is a mug.", Answer("Mug.")),
        ("A COFFEE CUP", Answer("Coffee cup.")),
        ("I see a cup", Answer("Cup.")),
        ("Smug.", Question("Smug.")),
        ("A mug or a teapot?", Question("A mug or a teapot?")),
        (" Move the block. ", Question("Move the block.")),
        ("I cannot tell.", Abstain("I cannot tell.")),
        ("", Invalid("empty")),
        ("  \n", Invalid("empty")),
    ],
)
def test_a_reply_without_a_call_is_a_message_to_the_user(text: str, action: object) -> None:
    assert read(text=text) == action


def test_overlapping_names_count_once() -> None:
    assert categories_named("the coffee cup", CATEGORIES) == ["Coffee cup."]
    assert categories_named("a coffee cup and a cup", CATEGORIES) == ["Coffee cup.", "Cup."]


@pytest.mark.parametrize(
    ("text", "made", "rest"),
    [
        ('<tool_call>{"name": "abstain", "arguments": {}}</tool_call>',
         [ToolCall("abstain", "{}")], ""),
        ('So: <tool_call>\n{"name": "a", "arguments": {"b": 1}}\n</tool_call> ok',
         [ToolCall("a", '{"b": 1}')], "So:  ok"),
        ('<tool_call>{"name": "a"}', [ToolCall("a", "{}")], ""),
        ('```json\n{"name": "a", "parameters": {"b": "c"}}\n```',
         [ToolCall("a", '{"b": "c"}')], "```json\n\n```"),
        ('{"name": "a", "arguments": "{\\"b\\": 1}"}', [ToolCall("a", '{"b": 1}')], ""),
        ('{"name": "a"} then {"name": "b"}', [ToolCall("a", "{}"), ToolCall("b", "{}")], "then"),
        ("<tool_call>move it</tool_call>", [ToolCall("", "move it")], ""),
        ("{'name': 'a', 'arguments': {}}", [ToolCall("", "{'name': 'a', 'arguments': {}}")], ""),
        ('{"name": 3}', [ToolCall("", '{"name": 3}')], ""),
        ('{"colour": "red"} is JSON', [], '{"colour": "red"} is JSON'),
        ("no call at all", [], "no call at all"),
    ],
)  # fmt: skip
def test_calls_written_in_a_text_are_found(text: str, made: list[ToolCall], rest: str) -> None:
    assert calls_in_text(text) == (tuple(made), rest)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (ToolCall("move_object", '{"direction": lef'), ""),
        (ToolCall("move_object", "{}"), ""),
        (ToolCall("move_ob", ""), ""),
        (None, ""),
    ],
)
def test_a_reply_without_an_action_that_the_limit_ended_is_cut_off(
    made: ToolCall | None, text: str
) -> None:
    calls = [made] if made else []
    action = read_reply(text, calls, ROD, CATEGORIES, cut_off=True).action
    assert isinstance(action, Invalid)
    assert action.why == "cut_off"


def test_a_whole_call_that_the_limit_ended_counts() -> None:
    made = call("move_object", direction="left")
    assert read_reply("", [made], ROD, CATEGORIES, cut_off=True).action == LEFT


def test_a_broken_call_in_a_text_is_bad_json() -> None:
    calls, rest = calls_in_text('<tool_call>{"name": "move_object", "arguments": {</tool_call>')
    action = read_reply(rest, calls, ROD, CATEGORIES).action
    assert isinstance(action, Invalid)
    assert action.why == "bad_json"


names = st.sampled_from(["move_object", "answer", "abstain", "ask_clarification", "x", ""])
fragments = st.sampled_from(
    ['{"name":', '"move_object"', '"arguments":', "{", "}", '"direction":', '"left"', "<tool_call>",
     "</tool_call>", "[", "\ud800", "null", "mug", ",", "\\u0000", "1e999", "NaN"]
)  # fmt: skip
texts = st.text() | st.lists(fragments | st.text(max_size=3), max_size=12).map("".join)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
toolsets = st.sampled_from(
    [ROD, everything(CATEGORIES), foreign(frozenset({"move_object"}), CATEGORIES),
     Toolset((answer_tool(CATEGORIES),))]
)  # fmt: skip


@given(text=texts, toolset=toolsets)
def test_any_text_is_read_without_an_exception(text: str, toolset: Toolset) -> None:
    calls, rest = calls_in_text(text)
    reading = read_reply(rest, calls, toolset, CATEGORIES)
    assert reading.via == ("call" if calls else "text")
    # Records must be encodable as UTF-8.
    str(reading.action).encode()


@given(name=names, arguments=texts | json_values.map(json.dumps), toolset=toolsets)
def test_no_action_is_invented(name: str, arguments: str, toolset: Toolset) -> None:
    """An action comes only from a call of an offered tool with one of its values."""
    action = read_reply("", [ToolCall(name, arguments)], toolset, CATEGORIES).action
    if isinstance(action, Invalid):
        return
    tool = toolset.find(name)
    assert tool is not None
    written = json.loads(arguments) if arguments.strip() else {}
    for parameter in tool.parameters:
        value = (written or {}).get(parameter.name)
        if parameter.choices:
            assert value.strip().rstrip(".").strip().casefold() in {
                choice.removesuffix(".").casefold() for choice in parameter.choices
            }


@given(toolset=toolsets, data=st.data())
def test_every_closed_call_reads_back_as_its_action(toolset: Toolset, data: st.DataObject) -> None:
    name, arguments, action = data.draw(st.sampled_from(list(toolset.closed_calls())))
    made = ToolCall(name, json.dumps(arguments))
    assert read_reply("", [made], toolset, CATEGORIES).action == action
