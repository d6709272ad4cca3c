"""The reward: expectations by hand, and a comparison with runs on the same replies."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.play.reward import RewardRule, Score
from proactive_agent.providers import Provider, Reply, Request
from proactive_agent.providers.text_tools import reply_from_text
from proactive_agent.records.episode import TurnRecord
from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment
from proactive_agent.tools.reading import call_from
from proactive_agent.training.reward import score_row
from proactive_agent.training.rows import QuestionRow

ROW = QuestionRow(
    index=0,
    scenario="coco",
    clear=False,
    text="",
    suggestions=("Move the camera up.", "I cannot tell.", "Move the camera down."),
    categories=("Cup.", "Vase.", "Lamp.", "Kettle."),
    accepted=("Move the camera up.",),
    answer="Lamp.",
)


def rewarded(
    text: str, protocol: Protocol | None = None, row: QuestionRow = ROW, **rule: float
) -> float:
    protocol = protocol or Mcqa()
    reply = reply_from_text(text, tools=protocol.name == "tools")
    return RewardRule(**rule).reward(score_row(row, reply, protocol))


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        ("F. Lamp.", 1),
        ("Lamp.", 1),
        ("F.", 1),
        ("A. Move the camera up.", 0.5),
        ("Move the camera up.", 0.5),
        ("C. Move the camera down.", 0),
        ("B. I cannot tell.", 0),
        ("D. Cup.", 0),
        ("Z.", 0),
        ("", 0),
        ("F) Lamp", 0),
    ],
)
def test_the_official_parser_determines_the_reward_of_a_multiple_choice(
    text: str, reward: float
) -> None:
    assert rewarded(text) == reward


def test_the_lenient_parser_rewards_more_forms() -> None:
    assert rewarded("F) Lamp", Mcqa("lenient")) == 1
    assert rewarded("**A**", Mcqa("lenient")) == 0.5


def call(name: str, **arguments: str) -> str:
    made = call_from(name, arguments)
    return f'<tool_call>{{"name": "{made.name}", "arguments": {made.arguments}}}</tool_call>'


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        (call("answer", category="Lamp"), 1),
        (call("move_camera", direction="up"), 0.5),
        (call("move_camera", direction="down"), 0),
        (call("answer", category="Cup"), 0),
        (call("abstain"), 0),
        (call("move_camera", direction="up") * 2, 0),
        ('<tool_call>{"name": "move_camera"', 0),
        ("It is a lamp.", 1),
        ("Please move the camera up.", 0.5),
        ("What a nice day.", 0),
    ],
)
def test_calls_and_free_text_earn_the_reward_of_their_action(text: str, reward: float) -> None:
    assert rewarded(text, ToolUse()) == reward


def test_the_first_turn_of_rod_rewards_no_category() -> None:
    row = QuestionRow(0, "rod", False, "", ("Move it to the left.",), ROW.categories, (), "Lamp.")
    assert rewarded("Lamp.", row=row) == 0
    clear = QuestionRow(0, "rod", True, "", ("Move it to the left.",), ROW.categories, (), "Lamp.")
    assert rewarded("Lamp.", row=clear) == 1


CLEAR = QuestionRow(0, "coco", True, "", ROW.suggestions, ROW.categories, (), "Lamp.")


@pytest.mark.parametrize(
    ("row", "text", "rule", "parts"),
    [
        (ROW, "Move the camera up.", {"suggestion": 0.75}, {"suggestion": 0.75}),
        (ROW, "Move the camera up.", {"price": 0.1}, {"suggestion": 0.5, "price": -0.1}),
        (ROW, "Move the camera down.", {"price": 0.1}, {"price": -0.1}),
        (ROW, "Move the camera up.", {"over_asking": 0.2}, {"suggestion": 0.5}),
        (CLEAR, "Move the camera up.", {"over_asking": 0.2}, {"over_asking": -0.2}),
        (CLEAR, "I cannot tell.", {"over_asking": 0.2, "price": 0.1}, {}),
        (CLEAR, "Lamp.", {"over_asking": 0.2, "price": 0.1}, {"category": 1}),
    ],
)
def test_the_parts_of_a_reward(
    row: QuestionRow, text: str, rule: dict[str, float], parts: dict[str, float]
) -> None:
    found = RewardRule(**rule).parts(score_row(row, Reply(text), Mcqa()))
    assert {name: value for name, value in found.items() if value} == parts


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (call("move_camera", direction="down"), "ask"),
        (call("ask_clarification", question="Nice day?"), "ask"),
        ("Nice day?", "unrelated"),
        ("I do not know.", "abstain"),
        ("Cup", "answer"),
        (call("dance"), "invalid"),
    ],
)
def test_the_kind_of_a_reply(text: str, kind: str) -> None:
    score = score_row(ROW, reply_from_text(text, tools=True), ToolUse())
    assert score.kind == kind


class Saying(Provider):
    """Gives one reply in the first turn and empty replies afterwards."""

    needs_images: ClassVar = False

    def __init__(self) -> None:
        self.reply = Reply()

    async def complete(self, request: Request) -> Reply:
        return self.reply if request.key.turn == 0 else Reply()


REPLIES = 20
"""Replies to each state. With fewer, none may happen to be an accepted suggestion."""


def row_of(state: Environment[Any], clear: bool) -> QuestionRow:
    """Returns the row of a train split for a state."""
    seen = state.observe()
    return QuestionRow(
        index=0,
        scenario=state.name,
        clear=clear,
        text="",
        suggestions=tuple(option.text for option in seen.options),
        categories=seen.categories,
        accepted=tuple(state.accepted_suggestions()),
        answer=state.sample.answer,
    )


def replies(row: QuestionRow, rng: random.Random) -> Iterator[str]:
    """Yields right and wrong replies in the forms that models write."""
    options = [*row.suggestions, *row.categories]
    for _ in range(REPLIES):
        index = rng.randrange(len(options) + 1)
        text = options[index] if index < len(options) else "Something else."
        letter = "ABCDEFGHIJKLM"[rng.randrange(len(options))]
        own = "ABCDEFGHIJKLM"[index]
        yield rng.choice(
            [text, f"{own}. {text}", f"{letter}. {text}", f"{own}.", f"{own}", f"{own}) {text}",
             text.upper(), text.removesuffix("."), f"The answer is {text}", f"**{own}**", "",
             f"{text}\n{text}", f"Well. {text}"]
        )  # fmt: skip


def calls(row: QuestionRow, rng: random.Random) -> Iterator[str]:
    """Yields right and wrong tool calls, and requests in free text."""
    keywords = [*SCENARIOS[row.scenario].keywords.values()]
    for _ in range(REPLIES):
        wish = rng.choice(keywords)
        arguments = {} if wish.argument is None else {
            {"enhance_image": "operation"}.get(wish.tool, "direction"): wish.argument
        }  # fmt: skip
        category = rng.choice([*row.categories, "Something else"])
        yield rng.choice(
            [call(wish.tool, **arguments), call(wish.tool), call("answer", category=category),
             call("abstain"), call("ask_clarification", question=rng.choice(row.suggestions)),
             rng.choice(row.suggestions), f"I see a {category.lower()}", "I cannot say.", "", "{",
             call("dance"), '<tool_call>{"name": "answer"</tool_call>',
             call("abstain") + call("answer", category=category)]
        )  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("protocol", [Mcqa(), Mcqa("lenient"), ToolUse()], ids=str)
def test_a_reply_is_judged_as_in_a_run(scenario: str, protocol: Protocol) -> None:
    rng = random.Random(f"{scenario} {protocol}")
    data, provider = DataFolder(), Saying()
    compared, paid = 0, set()
    for condition in ("zero-shot", "clear"):
        play = Play(data, provider, protocol, parse_condition(condition, protocol.name))
        for sample in data.samples(scenario, 8):
            row = row_of(play.environment(scenario, sample), condition == "clear")
            say = calls if protocol.name == "tools" else replies
            for text in say(row, rng):
                provider.reply = reply_from_text(text, tools=protocol.name == "tools")
                turn = asyncio.run(play_episode(play, scenario, sample)).turns[0]
                score = score_row(row, provider.reply, protocol)
                assert (score.suggestion, score.category) == done(turn, protocol), text
                compared += 1
                paid.add((score.suggestion, score.category))
    assert compared == 2 * 8 * REPLIES
    assert paid == {(False, False), (True, False), (False, True)}


def done(turn: TurnRecord, protocol: Protocol) -> tuple[bool, bool]:
    """Returns whether a turn's suggestion was accepted and its category right.

    The category takes precedence.
    """
    verdict = turn.verdict
    if protocol == Mcqa("lenient") and turn.lenient_verdict:
        verdict = turn.lenient_verdict
    right = verdict.category == "correct"
    return verdict.suggestion == "correct" and not right, right


def test_a_score_records_the_clear_frame() -> None:
    assert score_row(CLEAR, Reply("Lamp."), Mcqa()) == Score("answer", True, False, True)
