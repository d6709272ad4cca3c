"""A human player, whose input comes from the test."""

import asyncio
from collections.abc import Iterable

import pytest
from PIL.Image import Image

from proactive_agent.providers import (
    AssistantMessage,
    Choice,
    Message,
    ProviderOptions,
    Reply,
    Request,
    RequestKey,
    StoppedError,
    TextPart,
    ToolMessage,
    UserMessage,
    create_provider,
)
from proactive_agent.providers.human import Human
from proactive_agent.providers.registry import check_spec
from proactive_agent.tools import Answer, ToolCall, UserError
from proactive_agent.tools.catalogue import ASK_CLARIFICATION
from tests.providers.api_asking import CALL, TOOLS, picture

OPTIONS = ("A. Move the block.", "B. Cat.")
CHOICES = tuple(Choice("answer", Answer("Cat."), text) for text in OPTIONS)
QUESTION = UserMessage((picture(), TextPart("What is it?\n" + "\n".join(OPTIONS) + "\nPick.")))


class TestDesk:
    """A desk that enters prepared lines, then leaves."""

    __test__ = False

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        self.shown: list[str] = []
        self.pictures: list[tuple[int, int]] = []
        self.asked: list[str] = []
        self.asked_at_once = self.waiting = 0

    def show_text(self, text: str) -> None:
        self.shown += text.splitlines()

    def show_picture(self, picture: Image) -> None:
        self.pictures.append(picture.size)

    async def ask(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        self.waiting += 1
        self.asked_at_once = max(self.asked_at_once, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return self.lines.pop(0) if self.lines else None

    def close(self) -> None:
        """Does nothing."""


def ask(desk: TestDesk, *messages: Message, turn: int = 0, **more: object) -> Reply:
    request = Request(RequestKey("rod", 0, turn), messages or (QUESTION,), **more)
    return asyncio.run(Human("ann", desk).complete(request))


def test_a_number_chooses_a_call() -> None:
    desk = TestDesk(["2", "4", "5"])
    tools = (*TOOLS[:2], ASK_CLARIFICATION)
    assert ask(desk, tools=tools).tool_calls[0].arguments == '{"direction": "right"}'
    assert [line for line in desk.shown if line.startswith("  ")] == [
        "   1  left", "   2  right", "   3  Cat", "   4  Dog", "   5  in your own words"
    ]  # fmt: skip
    assert ask(desk, tools=tools).tool_calls[0] == ToolCall(
        "answer", '{"category": "Dog"}', "call-answer"
    )


def test_the_tools_are_described_as_for_a_model() -> None:
    desk = TestDesk(["1"])
    ask(desk, tools=TOOLS)
    for tool in TOOLS:
        assert any(line.startswith(f"{tool.name}: {tool.description}") for line in desk.shown)


def test_free_text_is_asked_for() -> None:
    desk = TestDesk(["1", "", "  Where is the light?  "])
    (call,) = ask(desk, tools=(ASK_CLARIFICATION,)).tool_calls
    assert call.arguments == '{"question": "Where is the light?"}'
    assert desk.asked == ["your choice (1-1): ", "question: ", "question: "]


def test_what_is_optional_is_not_asked_for() -> None:
    desk = TestDesk(["1"])
    (call,) = ask(desk, tools=TOOLS[2:]).tool_calls
    assert (call.name, call.arguments) == ("abstain", "{}")


def test_a_number_chooses_an_option() -> None:
    desk = TestDesk(["2"])
    reply = ask(desk, choices=CHOICES)
    assert (reply.text, reply.tool_calls) == ("B. Cat.", ())
    assert desk.shown[1:] == [
        "A new question", "What is it?", "   1  A. Move the block.", "   2  B. Cat.", "Pick."
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["0", "3", "-1", "1.0", "B", "²", "one"])
def test_what_is_no_number_on_offer_is_asked_for_again(wrong: str) -> None:
    desk = TestDesk([wrong, "1"])
    assert ask(desk, choices=CHOICES).text == OPTIONS[0]
    assert "Please write a number from 1 to 2." in desk.shown


def test_what_a_model_does_not_see_is_not_offered() -> None:
    desk = TestDesk(["a cat, I think"])
    question = UserMessage((picture(), TextPart("What is it?")))
    assert ask(desk, question, choices=CHOICES).text == "a cat, I think"
    assert desk.asked == ["your answer: "]


def test_solved_examples_are_shown_but_not_offered() -> None:
    desk = TestDesk(["1"])
    example = UserMessage((picture("blue", (8, 9)), TextPart("An example\n" + OPTIONS[1])))
    ask(desk, example, AssistantMessage("B. Cat."), QUESTION, choices=CHOICES)
    assert desk.pictures == [(8, 9), (64, 48)]
    assert desk.shown[2:6] == ["An example", "B. Cat.", "→ B. Cat.", "What is it?"]


def test_a_conversation_that_goes_on_shows_what_is_new() -> None:
    desk = TestDesk(["1"])
    result = ToolMessage(CALL, (TextPart("The block was moved."), picture("blue", (8, 9))))
    ask(desk, QUESTION, AssistantMessage("", (CALL,)), result, tools=TOOLS, turn=1)
    assert desk.pictures == [(8, 9)]
    assert desk.shown[1:3] == ["Turn 2", "The block was moved."]


def test_whoever_leaves_stops_the_run() -> None:
    with pytest.raises(StoppedError, match="the player has left"):
        ask(TestDesk([]), choices=CHOICES)


def test_one_thing_is_asked_at_a_time() -> None:
    desk = TestDesk(["1", "2"])
    human = Human("ann", desk)
    requests = [Request(RequestKey("rod", i, 0), (QUESTION,), choices=CHOICES) for i in (0, 1)]

    async def ask_both() -> list[Reply]:
        return await asyncio.gather(*map(human.complete, requests))

    assert [reply.text for reply in asyncio.run(ask_both())] == list(OPTIONS)
    assert desk.asked_at_once == 1


def test_a_person_needs_no_name_and_costs_nothing() -> None:
    assert check_spec("human") == ("human", "anonymous")
    assert check_spec("human:ann") == ("human", "ann")
    human = create_provider("human", ProviderOptions(desk=TestDesk([])))
    assert human.manifest() == {"player": "anonymous"}
    usage = ask(TestDesk(["1"]), choices=CHOICES).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (0, 0, 0.0)


@pytest.mark.parametrize("spec", ["human:", "humane"])
def test_a_mistyped_person_is_wrong_input(spec: str) -> None:
    with pytest.raises(UserError):
        check_spec(spec)


def test_without_a_desk_nobody_can_be_asked() -> None:
    with pytest.raises(UserError, match="works only in `run`"):
        create_provider("human:ann")
