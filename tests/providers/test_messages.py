"""The parts of a request that a model function reads."""

from proactive_agent.providers import AssistantMessage, TextPart, ToolMessage, UserMessage
from proactive_agent.tools import ToolCall
from tests.providers.asking import picture, question

CALL = ToolCall("rotate_object", "{}", "c1")
QUESTION = UserMessage((picture(turn=0), TextPart("What is it?"), TextPart("A. a cup")))
RESULT = ToolMessage(CALL, (TextPart("The user did this."), picture(turn=1)))


def test_the_text_is_that_of_the_last_user_message() -> None:
    earlier = UserMessage((TextPart("Hello."),))
    request = question(messages=(earlier, AssistantMessage("Hi."), QUESTION))
    assert request.text == "What is it?\nA. a cup"


def test_the_text_of_a_tool_result_is_not_the_users() -> None:
    request = question(messages=(QUESTION, AssistantMessage("", (CALL,)), RESULT))
    assert request.text == "What is it?\nA. a cup"


def test_a_request_without_a_user_message_has_no_text() -> None:
    assert question(messages=()).text == ""


def test_the_images_are_all_of_the_conversation_the_newest_last() -> None:
    request = question(messages=(QUESTION, AssistantMessage("", (CALL,)), RESULT))
    assert [image.tobytes() for image in request.images] == [
        picture(turn=turn).load().tobytes() for turn in (0, 1)
    ]
