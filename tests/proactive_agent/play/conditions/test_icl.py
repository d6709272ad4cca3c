"""The condition `icl:N`: solved episodes before the first turn."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.play.conditions import ConditionOptions
from proactive_agent.play.protocols import Protocol
from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    Message,
    Request,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.text_tools import as_plain_text
from proactive_agent.scenarios import OWN, DataFolder, Sample
from proactive_agent.tools.texts import DONE, RIGHT
from tests.proactive_agent.scripted import (
    Mcqa,
    Scripted,
    Sightless,
    ToolUse,
    call,
    play,
    sample_of,
)
from tests.scenarios.official_layout import write_samples

REASONING = ConditionOptions(icl_reasoning=True)
REDUCED = ConditionOptions(icl_reduced=True)
LEFT = call("move_object", direction="left")


def asked(
    scenario: str,
    protocol: Protocol,
    condition: str = "icl:1",
    options: ConditionOptions = ConditionOptions(),  # noqa: B008  # never changed
    **how: Any,
) -> Request:
    """Returns the first request of an episode."""
    provider = Scripted("?", "?")
    asyncio.run(play(scenario, provider, protocol, condition, options, **how))
    return provider.requests[0]


class Said(NamedTuple):
    """Returns a message in short form."""

    who: str
    text: str
    short_edge: int | None


def said(message: Message) -> Said:
    if isinstance(message, AssistantMessage):
        return Said("model", message.text, None)
    text = [part.text for part in message.content if isinstance(part, TextPart)]
    sizes = [min(part.load().size) for part in message.content if isinstance(part, ImagePart)]
    who = "user" if isinstance(message, UserMessage) else "tool"
    return Said(who, "\n".join(text), sizes[0] if sizes else None)


def source(request: Request, scenario: str, asked_id: int = 0) -> Sample:
    """Finds the sample of the first solved episode by its options or categories and picture."""
    question = request.messages[0]
    assert isinstance(question, UserMessage)
    key = next(part.key for part in question.content if isinstance(part, ImagePart))
    data = DataFolder()
    found = [
        sample
        for sample in data.samples(scenario)
        if data.images.open(data.environment(scenario, sample).image()).sha256 in key
    ]
    assert [sample.id for sample in found] != [asked_id]
    return found[0]


def full_edge(sample: Sample, scenario: str) -> int:
    """Returns the shorter edge of a sample's first picture."""
    data = DataFolder()
    return min(data.images.open(data.environment(scenario, sample).image()).image.size)


def multiple_choice(sample: Sample, hint: str = "") -> str:
    return OWN.multiple_choice(sample.prompt + hint, [*sample.options, *sample.categories])


# The multiple choice -----------------------------------------------------------------------------


def test_rod_shows_one_suggestion_and_then_the_answer() -> None:
    request = asked("rod", Mcqa())
    example = source(request, "rod")
    first, wish, second, answer, question = map(said, request.messages)
    prompt = multiple_choice(example)
    full = full_edge(example, "rod")
    assert (first, second) == (Said("user", prompt, full), Said("user", prompt, full))
    assert wish.text in example.suggestions
    assert answer.text == example.answer
    assert question == Said("user", multiple_choice(sample_of("rod")), 343)


def test_mvp_n_shows_every_view() -> None:
    messages = asked("mvp-n", Mcqa()).messages[:-1]
    example = source(asked("mvp-n", Mcqa()), "mvp-n")
    assert example.num_images > 2
    questions, replies = messages[::2], messages[1::2]
    prompt = multiple_choice(example)
    full = full_edge(example, "mvp-n")
    assert list(map(said, questions)) == [Said("user", prompt, full)] * example.num_images
    wishes = [example.suggestions[0]] * (example.num_images - 1)
    assert [said(reply).text for reply in replies] == [*wishes, example.answer]


def test_the_reduced_form_of_rod_has_smaller_pictures() -> None:
    messages = asked("rod", Mcqa(), options=REDUCED).messages
    assert [said(message).short_edge for message in messages[:-1:2]] == [512, 512]


def test_the_reduced_form_of_mvp_n_shows_the_first_view_and_the_last() -> None:
    request = asked("mvp-n", Mcqa(), options=REDUCED)
    example = source(request, "mvp-n")
    assert example.num_images > 2
    first, wish, last, answer, _ = request.messages
    assert [said(m).short_edge for m in (first, last)] == [112, 112]
    assert said(wish).text == example.suggestions[0]
    assert said(answer).text == example.answer
    data = DataFolder()
    informative = data.environment("mvp-n", example, reference=True).observe().image
    assert isinstance(last, UserMessage)
    key = next(part.key for part in last.content if isinstance(part, ImagePart))
    assert data.images.open(informative).sha256 in key


def test_a_reason_stands_before_the_lettered_option() -> None:
    request = asked("rod", Mcqa(), options=REASONING)
    example = source(request, "rod")
    _, wish, _, answer, _ = map(said, request.messages)
    lettered = [f"{chr(65 + i)}. {option}" for i, option in enumerate(example.options)]
    assert wish.text in [f"{OWN.reasoning['rod']} {option}" for option in lettered]
    assert answer.text == example.answer


@pytest.mark.parametrize("scenario", ["rod", "mvp-n"])
def test_three_are_three_different_ones_and_the_record_names_them(scenario: str) -> None:
    provider = Scripted("?")
    episode = asyncio.run(play(scenario, provider, Mcqa(), "icl:3"))
    every = {sample.id: sample for sample in DataFolder().samples(scenario)}
    named = [every[sample_id] for sample_id in episode.examples]
    answers = [text for text in map(_words_of_reply, provider.requests[0].messages) if text]
    assert len(set(episode.examples) - {episode.sample_id}) == 3
    assert [answers.index(sample.answer) for sample in named] == sorted(
        answers.index(sample.answer) for sample in named
    )


def _words_of_reply(message: Message) -> str:
    return message.text if isinstance(message, AssistantMessage) else ""


def test_the_examples_are_drawn_once_per_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    draws: list[list[Sample]] = []
    others = DataFolder.others

    def counted(*asked: Any) -> list[Sample]:
        draws.append(others(*asked))
        return draws[-1]

    monkeypatch.setattr(DataFolder, "others", counted)
    episode = asyncio.run(play("rod", Scripted("?"), Mcqa(), "icl:3"))
    (drawn,) = draws
    assert episode.examples == [sample.id for sample in drawn]


def test_without_examples_the_record_names_none() -> None:
    assert asyncio.run(play("rod", Scripted("?"), Mcqa())).examples == []


def test_the_hint_stands_in_every_question() -> None:
    request = asked("rod", Mcqa(), "hint+icl:1")
    hint = f" {OWN.hint('rod')}"
    example = source(request, "rod")
    first, _, second, _, question = map(said, request.messages)
    assert first.text == second.text == multiple_choice(example, hint)
    assert question.text == multiple_choice(sample_of("rod"), hint)


def test_history_goes_on_after_them_and_scales_them_too() -> None:
    left = next(option for option in sample_of("rod").options if "to the left" in option)
    provider = Scripted(left, "Z")
    options = ConditionOptions(history_size=100)
    asyncio.run(play("rod", provider, Mcqa(), "icl:1+history", options))
    first, second = provider.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert len(second.messages) == len(first.messages) + 2
    assert {said(m).short_edge for m in second.messages if isinstance(m, UserMessage)} == {100}


def test_they_come_before_every_turn_that_is_asked_afresh() -> None:
    left = next(option for option in sample_of("rod").options if "to the left" in option)
    provider = Scripted(left, "Z")
    asyncio.run(play("rod", provider, Mcqa(), "icl:1"))
    first, second = (request.messages for request in provider.requests)
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]


# Choice of examples ------------------------------------------------------------------------------


def test_the_draw_depends_on_seed_and_sample_and_on_nothing_else() -> None:
    def examples(sample_id: int, seed: int, repeat: int = 0) -> tuple[Message, ...]:
        sample = sample_of("mvp-n", sample_id)
        request = asked("mvp-n", Mcqa(), "icl:3", sample=sample, seed=seed, repeat=repeat)
        return request.messages[:-1]

    assert examples(0, 0) == examples(0, 0) == examples(0, 0, repeat=1)
    drawn = [examples(sample_id, seed) for sample_id in (0, 1) for seed in (0, 1)]
    assert all(a != b for i, a in enumerate(drawn) for b in drawn[:i])


def test_the_sample_asked_is_never_its_own_example(tmp_path: Path) -> None:
    write_samples(tmp_path, "rod", [sample_of("rod", i).model_dump() for i in (0, 1)])
    data = DataFolder(tmp_path)
    for seed in range(6):
        provider = Sightless("?")
        asyncio.run(play("rod", provider, Mcqa(), "icl:1", data=data, seed=seed))
        first, *_, question = map(_words, provider.requests[0].messages)
        assert first == multiple_choice(sample_of("rod", 1))
        assert question == multiple_choice(sample_of("rod", 0))


def _words(message: Message) -> str:
    content = getattr(message, "content", ())
    return "".join(part.text for part in content if isinstance(part, TextPart))


def test_a_dry_run_shows_them_with_their_replies() -> None:
    command = ["run", "--condition", "icl:1", "--icl-reasoning", "--scenario", "rod", "--dry-run"]
    shown = CliRunner().invoke(cli, command).output
    assert f"\n{OWN.reasoning['rod']}\n" in shown
    assert shown.count("── model\n→ ") == 2


# Tools -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["rod", "mvp-n"])
def test_with_tools_they_are_calls_and_what_the_calls_brought(scenario: str) -> None:
    request = asked(scenario, ToolUse(), options=REDUCED)
    example = source(request, scenario)
    first, wish, result, answer, right, question = request.messages
    assert said(first).text == f"{example.prompt}\n{said(question).text.splitlines()[-1]}"
    assert isinstance(wish, AssistantMessage)
    assert isinstance(answer, AssistantMessage)
    assert isinstance(result, ToolMessage)
    assert isinstance(right, ToolMessage)
    assert (wish.text, answer.text) == ("", "")
    assert wish.tool_calls == (result.call,)
    assert answer.tool_calls == (right.call,)
    done = [DONE.format(what=option.removesuffix(".")) for option in example.suggestions]
    assert said(result).text in done
    assert said(right) == Said("tool", RIGHT, None)
    assert right.call.name == "answer"
    assert json.loads(right.call.arguments) == {"category": example.answer.removesuffix(".")}
    assert result.call.name in {tool.name for tool in request.tools}


def test_with_tools_the_reason_stands_beside_the_call() -> None:
    messages = asked("rod", ToolUse(), options=REASONING).messages
    replies = [message for message in messages if isinstance(message, AssistantMessage)]
    assert [reply.text for reply in replies] == [OWN.reasoning["rod"], ""]
    assert [len(reply.tool_calls) for reply in replies] == [1, 1]


def test_no_two_calls_have_the_same_id_and_every_id_is_one_that_all_take() -> None:
    messages = asked("mvp-n", ToolUse(), "icl:3").messages
    ids = [
        c.id for message in messages if isinstance(message, AssistantMessage)
        for c in message.tool_calls
    ]  # fmt: skip
    assert len(set(ids)) == len(ids) > 6
    assert all(len(call_id) == 9 and call_id.isalnum() for call_id in ids)


def test_the_conversation_goes_on_after_them() -> None:
    provider = Scripted(LEFT, call("answer", category=sample_of("rod").answer.removesuffix(".")))
    episode = asyncio.run(play("rod", provider, ToolUse(), "icl:1"))
    assert episode.outcome.correct
    assert [len(request.messages) for request in provider.requests] == [6, 8]
    assert [turn.index for turn in episode.turns] == [0, 1]


def test_without_native_tools_the_turns_still_alternate() -> None:
    request = asked("rod", ToolUse(), "icl:1")
    roles = [type(message) for message in as_plain_text(request.messages, request.tools)]
    assert roles == [UserMessage, AssistantMessage] * 2 + [UserMessage]
