"""Labels, categories and the texts of a sample."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_agent.play.protocols.mcqa_parsers import Choices, parse_official
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.builder import BuildError, SkipError, wording
from proactive_agent.scenarios.builder.categories import Categories, Labels, category, read_similar
from proactive_agent.scenarios.builder.quickdraw import build_quickdraw
from proactive_agent.scenarios.builder.writer import make_sample
from proactive_agent.scenarios.sample import is_abstention

SUGGESTIONS = {
    "rod": [
        text.format(thing=thing, side=side)
        for text in wording.SLIDE
        for thing in (wording.BLOCKS, wording.OBJECTS)
        for side in ("left", "right")
    ],
    "vsod": [wording.REWIND_OPTION, *(text for texts in wording.WAIT.values() for text in texts)],
    "mvp-n": list(wording.ROTATE),
    "imagenet-c": [text for texts in wording.ENHANCE.values() for text in texts],
    "quickdraw": list(wording.DETAILS),
    "changeit": [wording.REWIND_OPTION, *wording.APPEAR],
    "coco": list(wording.MOVES.values()),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_suggestion_is_understood_in_one_way(scenario: str) -> None:
    for text in SUGGESTIONS[scenario]:
        assert SCENARIOS[scenario].intervention(text) is not None, text
        assert not is_abstention(text), text


def test_an_enhancement_is_the_one_of_its_family() -> None:
    for family, texts in wording.ENHANCE.items():
        for text in texts:
            found = SCENARIOS["imagenet-c"].intervention(text)
            assert found is not None
            assert found.argument == family


def test_every_abstention_is_one() -> None:
    assert [text for text in wording.ABSTENTIONS if not is_abstention(text)] == []


def test_every_scenario_has_questions() -> None:
    assert set(wording.QUESTIONS) == set(SCENARIOS)
    assert min(map(len, wording.QUESTIONS.values())) >= 5


def test_a_given_question_is_used() -> None:
    texts = wording.texts_for("rod", (), random.Random(0), question="What is it?", thing="blocks")
    assert texts.question == "What is it?"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("coffee_cup", "Coffee cup."),
        ("  Dog ", "Dog."),
        ("Dog.", "Dog."),
        ("iPhone", "IPhone."),
        ("éclair", "Éclair."),
        ("ßtrange", "ßtrange."),
        ("7_up", "7 up."),
    ],
)
def test_labels_are_cleaned(label: str, text: str) -> None:
    assert category(label, "x") == text


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("TV", "published parser"),
        ("vitamin_C", "'C.'"),
        ("U.S. flag", "'U.'"),
        ("__", "empty"),
        ("a\x1b[2Jb", "control characters"),
    ],
)
def test_a_label_that_no_parser_could_read_is_refused(label: str, reason: str) -> None:
    with pytest.raises(BuildError, match=reason) as error:
        category(label, "list.csv, line 3")
    assert str(error.value).startswith("list.csv, line 3: label: ")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=2))
def test_the_published_parser_reads_every_category_that_is_let_pass(label: str) -> None:
    try:
        text = category(label, "x")
    except BuildError:
        return
    reply = f"B. {text}"
    parsed = parse_official(reply, Choices(["Wait."], []), Choices([text], [text]))
    assert parsed.verdicts.category == "correct"


def test_two_labels_that_read_alike_are_refused() -> None:
    labels = Labels()
    labels.add("hot_dog", "a.csv, line 2")
    labels.add("hot_dog", "a.csv, line 3")
    with pytest.raises(BuildError, match=r"a.csv, line 4: label: 'Hotdog' reads like 'hot_dog'"):
        labels.add("Hotdog", "a.csv, line 4")


FIVE = ["Cup.", "Dog.", "Hat.", "Owl.", "Van."]


def test_hard_negatives_come_first() -> None:
    chooser = Categories(FIVE, {"Cup.": ["Mug.", "Bowl.", "Glass.", "Vase."]})
    assert sorted(chooser.choose("Cup.", random.Random(0))) == ["Bowl.", "Cup.", "Glass.", "Mug."]


def test_few_hard_negatives_are_filled_up() -> None:
    chosen = Categories(FIVE, {"Cup.": ["Mug.", "owl.", "CUP."]}).choose("Cup.", random.Random(0))
    assert {"Cup.", "Mug.", "Owl."} < set(chosen)
    assert len(set(chosen)) == 4


def test_the_right_category_has_no_fixed_place() -> None:
    chooser = Categories(FIVE, {})
    places = {chooser.choose("Dog.", random.Random(seed)).index("Dog.") for seed in range(60)}
    assert places == {0, 1, 2, 3}


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(BuildError, match=r"'Cup\.' has only 2 other labels.*at least 4"):
        Categories(["Cup.", "Dog.", "Hat."], {})


def test_a_similarity_list_can_name_what_has_no_pictures() -> None:
    near = {text: ["Mug.", "Bowl.", "Vase."] for text in ("Cup.", "Dog.")}
    assert "Mug." in Categories(["Cup.", "Dog."], near).choose("Dog.", random.Random(0))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not valid JSON"),
        ("[]", "not an object"),
        (json.dumps({"cup": "mug"}), "'cup': not a list"),
        (json.dumps({"cup": ["mug", 3]}), "'cup': not a list"),
        (json.dumps({"cup": ["TV"]}), "published parser"),
    ],
)
def test_a_broken_similarity_list_is_named(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "near.json"
    file.write_text(content)
    with pytest.raises(BuildError, match=reason) as error:
        read_similar(file)
    assert str(file) in str(error.value)


def test_options_that_read_alike_make_no_sample() -> None:
    built = build_quickdraw([((0, 0), (9, 9)), ((0, 9), (9, 0))])
    texts = wording.SampleTexts("What is it?", ("Finish the sketch.",), "I cannot tell.")
    names = ["Finish  the sketch.", "Cup.", "Dog.", "Owl."]
    with pytest.raises(SkipError, match="read alike"):
        make_sample("quickdraw", 0, built, texts, names, "Cup.", random.Random(0))
