"""The text protocol: tools as plain text, for models without tool calling."""

import json

from PIL import Image

from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.text_tools import as_plain_text, merged
from proactive_agent.tools import ToolCall, calls_in_text
from proactive_agent.tools.catalogue import ABSTAIN, answer_tool, intervention_tool

TOOLS = (intervention_tool("move_object"), answer_tool(["a cat", "a dog"]), ABSTAIN)
PICTURE = ImagePart("picture", lambda: Image.new("RGB", (2, 2)))
CALL = ToolCall("move_object", '{"direction": "left"}', "call00000")


def conversation() -> list[UserMessage | AssistantMessage | ToolMessage]:
    return [
        UserMessage((PICTURE, TextPart("What is behind it?"))),
        AssistantMessage("I look.", (CALL,)),
        ToolMessage(CALL, (TextPart("Done."), PICTURE)),
    ]


def test_tools_stand_before_the_first_question() -> None:
    first = as_plain_text(conversation(), TOOLS)[0]
    assert isinstance(first, UserMessage)
    offer, *own = first.content
    assert isinstance(offer, TextPart)
    assert '- move_object(direction: "left" | "right")' in offer.text
    assert '- answer(category: "a cat" | "a dog")' in offer.text
    assert own == [PICTURE, TextPart("What is behind it?")]


def test_without_tools_nothing_is_added() -> None:
    assert as_plain_text(conversation()[:1], ()) == conversation()[:1]


def test_tools_stand_before_the_first_user_turn_where_the_model_spoke_first() -> None:
    plain = as_plain_text([AssistantMessage("Hello."), UserMessage((TextPart("Hi."),))], TOOLS)
    assert plain[0] == AssistantMessage("Hello.")
    assert isinstance(plain[1], UserMessage)
    assert len(plain[1].content) == 2


def test_calls_become_text_that_reads_back_as_the_same_call() -> None:
    reply = as_plain_text(conversation(), TOOLS)[1]
    assert isinstance(reply, AssistantMessage)
    assert reply.tool_calls == ()
    calls, rest = calls_in_text(reply.text)
    assert rest == "I look."
    assert [(c.name, json.loads(c.arguments)) for c in calls] == [
        ("move_object", {"direction": "left"})
    ]


def test_a_call_that_was_no_json_is_shown_as_it_was_written() -> None:
    broken = AssistantMessage("", (ToolCall("", "{move left}"),))
    assert as_plain_text([broken], ())[0] == AssistantMessage("<tool_call>{move left}</tool_call>")


def test_tool_results_become_a_user_turn_with_their_picture() -> None:
    assert as_plain_text(conversation(), TOOLS)[2] == UserMessage((TextPart("Done."), PICTURE))


def test_neighbouring_turns_of_the_user_are_merged() -> None:
    turns = [*conversation(), UserMessage((TextPart("And now?"),))]
    last = as_plain_text(turns, ())[-1]
    assert last == UserMessage((TextPart("Done."), PICTURE, TextPart("And now?")))


def test_neighbouring_turns_of_the_model_are_merged() -> None:
    two = [AssistantMessage("One."), AssistantMessage("", (CALL,)), AssistantMessage("Two.")]
    assert merged(two) == [AssistantMessage("One.\nTwo.", (CALL,))]
