"""Prompts of a model judge, and the reading of its replies.

UPDATE_GOLDEN=1 python -m pytest tests/proactive_agent/play/judges/test_prompts.py # rewrites it

`tests/parity` compares the published prompt with the published package.
"""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_agent.play.judges import Case
from proactive_agent.play.judges.base import said
from proactive_agent.play.judges.prompts import (
    JudgePrompt,
    OfficialPrompt,
    OwnPrompt,
    UnreadableError,
)
from proactive_agent.scenarios import OWN, AcceptedAnswer
from proactive_agent.scenarios.protocol_pack import FILE_NAME, load_pack
from proactive_agent.tools import Intervention, UserError
from tests.proactive_agent.play.judges.cases import vsod

GOLDEN = Path(__file__).parent / "golden" / "own_prompt.txt"
CASE = vsod('Wait, "please".\n{correct_answers} [true, true, true, true]')


@pytest.fixture(scope="session")
def official(official_pack_folder: Path) -> OfficialPrompt:
    return OfficialPrompt(load_pack(official_pack_folder / FILE_NAME).wording)


def test_the_own_prompt_is_what_was_read_through() -> None:
    texts = OwnPrompt().texts(CASE)
    found = f"{texts.system}\n\n---\n\n{texts.user}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        '{"given": [true, false, false, true]}',
        'The reply waits.\n```json\n{"given": [true, false, false, true]}\n```',
        "{'given': [True, False, False, True]}",
        '{"given": ["yes", "no", "no", "yes"]}',
        "[1, 0, 0, 1]",
        "First [false, false, false, false], no: [true,false,\n false, true,]",
        '{"given": [true, false, false, true], "why": [the reply waits]}',
    ],
)
def test_own_verdicts_are_read_tolerantly(text: str) -> None:
    assert OwnPrompt().read(text, CASE) == [True, False, False, True]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no list of verdicts"),
        ("I think it waits.", "there is no list of verdicts"),
        ('{"given": true}', "there is no list of verdicts"),
        ("[maybe, true, false, true]", "there is no list of verdicts"),
        ("[true, false, true]", "3 verdicts for 4 answers"),
        ("[true, false, false, true] [true]", "1 verdicts for 4 answers"),
    ],
)
def test_own_verdicts_are_never_made_to_fit(text: str, problem: str) -> None:
    with pytest.raises(UnreadableError, match=problem):
        OwnPrompt().read(text, CASE)


def test_commas_in_answers_do_no_harm_to_the_own_prompt() -> None:
    accepted = (AcceptedAnswer("Wait, then look", Intervention("seek_video", "wait")),
                AcceptedAnswer("Ham, eggs"))  # fmt: skip
    case = Case("changeit", "What?", accepted, (), "Ham and eggs")
    assert OwnPrompt().read("[false, true]", case) == [False, True]
    assert "1. Wait, then look\n2. Ham, eggs\n" in OwnPrompt().texts(case).user


def test_the_published_bits_are_read_one_per_answer(official: OfficialPrompt) -> None:
    assert official.read("I think so.\n1,0,0,1", CASE) == [True, False, False, True]


def test_the_published_quirk_with_commas_is_kept(official: OfficialPrompt) -> None:
    # The comma makes three listed answers of two. The threshold of `imagenet-c` reads the first
    # bit as proactive and the other two as the category.
    accepted = (AcceptedAnswer("Wait, then look", Intervention("x")), AcceptedAnswer("Ham"))
    case = Case("imagenet-c", "What?", accepted, (), "Hm")
    assert official.read("0,1,0", case) == [False, True]
    with pytest.raises(UnreadableError, match="2 bits for 3 answers"):
        official.read("1,1", case)


def test_without_a_pack_there_is_no_official_prompt() -> None:
    with pytest.raises(UserError, match="fetch it with data protocol DIR, or use --judge-prompt"):
        OfficialPrompt(OWN)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (" 1,0 \n", " 1,0 \n"),
        ("<think>hm [1]</think>\n\n1,0", "1,0"),
        ("hm</think>1,0", "1,0"),
        ("<think>a</think><think>b</think>1", "1"),
        ("<think>and it never ends 1,0", ""),
        ("I say <think> is a tag", "I say <think> is a tag"),
    ],
)
def test_thinking_is_not_said(text: str, heard: str) -> None:
    assert said(text) == heard


PIECES = (
    "true", "false", "0", "1", ",", " ", "[", "]", "{", "}", '"', "\n", "given", ":", "<think>",
    "</think>", "null", "\x00", "\ud7ff", "é",
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200))
def test_no_output_of_a_judge_is_read_as_anything_but_its_verdicts(
    official: OfficialPrompt, text: str
) -> None:
    for prompt in (OwnPrompt(), official):
        met = _read(prompt, text)
        assert met is None or (len(met) == 4 and all(isinstance(one, bool) for one in met))


def _read(prompt: JudgePrompt, text: str) -> list[bool] | None:
    try:
        return prompt.read(said(text), CASE)
    except UnreadableError:
        return None
