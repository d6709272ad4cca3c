"""Prompts of a training equal those of a run, and solved episodes earn the full reward."""

import asyncio
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

import transformers

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.play.reward import RewardRule
from proactive_agent.providers import Reply
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.local.generation import Generator, stop_ids
from proactive_agent.providers.local.templates import FALLBACKS
from proactive_agent.providers.text_tools import reply_from_text
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.protocol_pack import FILE_NAME
from proactive_agent.scenarios.wording import OWN
from proactive_agent.training.prompts import (
    question_of,
    reply_frame,
    request_for,
    verbatim_processor,
    wordings_of,
)
from proactive_agent.training.reward import score_row
from proactive_agent.training.rows import QuestionRow, RowError
from proactive_agent.training.sft import RecordingOracle, in_form, solved_examples, solved_rows
from tests.providers import tiny_models

pytestmark = pytest.mark.local

KINDS = (*tiny_models.KINDS, tiny_models.NATIVE_TOOLS)


def chat_of(kind: str) -> Chat:
    processor = transformers.AutoProcessor.from_pretrained(tiny_models.folder(kind))
    processor.tokenizer.padding_side = "left"
    return Chat(processor, processor.chat_template or FALLBACKS[kind])


def row_of(scenario: str, number: int = 0) -> tuple[QuestionRow, Any]:
    """Returns a sample, and the train row that the builder makes of its first state."""
    data = DataFolder()
    sample = [*data.samples(scenario, number + 1)][number]
    state = data.environment(scenario, sample)
    seen = state.observe()
    row = QuestionRow(
        index=0,
        scenario=scenario,
        clear=False,
        text=OWN.multiple_choice(seen.question, seen.texts),
        suggestions=tuple(option.text for option in seen.options),
        categories=seen.categories,
        accepted=tuple(state.accepted_suggestions()),
        answer=sample.answer,
    )
    return row, sample


@pytest.mark.parametrize("protocol", [Mcqa(), ToolUse()], ids=["mcqa", "tools"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_prompt_of_a_row_equals_that_of_its_state_in_a_run(
    scenario: str, protocol: Protocol
) -> None:
    row, sample = row_of(scenario)
    oracle = RecordingOracle()
    play = Play(DataFolder(), oracle, protocol, parse_condition("zero-shot", protocol.name))
    asyncio.run(play_episode(play, scenario, sample))
    asked = request_for(row, protocol, [OWN])
    for kind in (tiny_models.NATIVE_TOOLS, "idefics2"):
        chat = chat_of(kind)
        assert chat.text(asked) == chat.text(oracle.solved[0].request)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_has_the_same_tokens_in_training_and_in_a_run(kind: str) -> None:
    row, _ = row_of("coco")
    chat = chat_of(kind)
    model = transformers.AutoModelForImageTextToText.from_pretrained(tiny_models.folder(kind))
    prompt = chat.prompt(request_for(row, Mcqa(), [OWN]))
    in_a_run = Generator(model, chat.processor)._inputs([prompt])["input_ids"].tolist()
    parts = [{"type": "image", "image": prompt.images[0]}, {"type": "text", "text": prompt.text}]
    in_training = verbatim_processor(chat.processor).apply_chat_template(
        [[{"role": "user", "content": parts}]],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
    )
    assert [list(ids) for ids in in_training["input_ids"]] == in_a_run


def test_the_processor_keeps_its_own_template() -> None:
    chat = chat_of("smolvlm")
    before = chat.processor.chat_template
    verbatim_processor(chat.processor)
    assert chat.processor.chat_template == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_is_framed_as_the_template_frames_it(kind: str) -> None:
    chat = chat_of(kind)
    model = transformers.AutoModelForImageTextToText.from_pretrained(tiny_models.folder(kind))
    stop = stop_ids(model, chat.processor.tokenizer)
    frame = reply_frame(chat, chat.processor.tokenizer, stop)
    expected = {
        "idefics2": (" ", "<end_of_utterance>"),
        "smolvlm": (" ", "<end_of_utterance>"),
    }.get(kind, ("", "<|im_end|>"))
    assert frame == expected


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("form", ["letter-and-text", "text", "letter"])
def test_solved_rows_earn_the_full_reward(scenario: str, form: Any) -> None:
    rng = random.Random(scenario)
    for protocol in (Mcqa(), ToolUse()):
        ambiguous, _ = row_of(scenario, rng.randrange(5))
        clear = QuestionRow(1, scenario, True, ambiguous.text, ambiguous.suggestions,
                    ambiguous.categories, (), ambiguous.answer)  # fmt: skip
        for solved, row, worth in zip(
            solved_rows([ambiguous, clear], protocol, [OWN], form),
            (ambiguous, clear),
            (0.5, 1),
            strict=True,
        ):
            text = reply_text(solved.reply)
            reply = reply_from_text(text, tools=protocol.name == "tools")
            assert RewardRule().reward(score_row(row, reply, protocol)) == worth


def reply_text(reply: Reply) -> str:
    from proactive_agent.training.prompts import ReplyFrame

    return ReplyFrame("", "").around(reply)


def test_the_forms_of_a_reply() -> None:
    reply = Reply("C. A. B. Cup.")
    assert in_form(reply, "letter").text == "C."
    assert in_form(reply, "text").text == "A. B. Cup."
    assert in_form(reply, "letter-and-text") == reply


def test_an_unknown_wording_needs_a_pack_for_tools() -> None:
    row, _ = row_of("coco")
    text = row.text.replace(OWN.options_sentence, "\nTake one:\n")
    other = replace(row, text=text, place="a.parquet, row 0")
    with pytest.raises(
        RowError, match=r"^a.parquet, row 0: prompt: .*protocol pack, which holds that sentence"
    ):
        question_of(other, [OWN])


def test_a_pack_next_to_the_split_is_read(official_pack_folder: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(official_pack_folder / FILE_NAME, tmp_path)
    for place in (tmp_path, tmp_path / "data"):
        own, published = wordings_of(str(place))
        assert own == OWN
        assert published.name.startswith("proactivebench")


def test_the_examples_hold_prompt_reply_and_end() -> None:
    import datasets

    row, _ = row_of("coco")
    chat = chat_of("smolvlm")
    frame = reply_frame(chat, chat.processor.tokenizer, frozenset({263}))
    solved = solved_rows([row], Mcqa(), [OWN], "text")
    pictures = datasets.Dataset.from_dict({"images": [[]]})
    (example,) = solved_examples(pictures, solved, chat, frame)
    (prompt,), (completion,) = example["prompt"], example["completion"]
    assert prompt == {"role": "user", "content": chat.text(solved[0].request)}
    assert completion["content"] == f" {solved[0].reply.text}<end_of_utterance>"
