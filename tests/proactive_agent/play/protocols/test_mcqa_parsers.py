import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_agent.play.protocols.mcqa_parsers import Choices, parse_lenient, parse_official
from proactive_agent.scenarios import Verdicts

SUGGESTIONS = Choices(
    ["Rewind the video.", "I cannot answer.", "Wait for the man to leave."],
    ["Rewind the video.", "Wait for the man to leave."],
)
CATEGORIES = Choices(["Cat.", "Dog.", "Fire truck.", "Truck."], ["Dog."])
DOG = Verdicts("mismatch", "correct")
NOTHING = Verdicts("mismatch", "mismatch")


def official(reply: str) -> Verdicts:
    return parse_official(reply, SUGGESTIONS, CATEGORIES).verdicts


def lenient(reply: str) -> Verdicts:
    return parse_lenient(reply, SUGGESTIONS, CATEGORIES).verdicts


BOTH = ["E. Dog.", "E.", "E", "e", "Dog.", "dog.", " E. Dog. ", "E.Dog.", "I think it is E. Dog.",
        "D o g .", "E. because", "E.\nDog."]  # fmt: skip
LENIENT_ONLY = ["Dog", "E) Dog", "(E)", "**E**", "**E. Dog**", "DOG", "Answer: E",
                "The answer is E.", "The answer is Dog.", "E: Dog", "I'd choose E", "It is a dog.",
                "Final answer: **Dog**", "\"Dog.\" ", "[E] Dog"]  # fmt: skip


@pytest.mark.parametrize("reply", BOTH)
def test_what_the_published_parser_understands(reply: str) -> None:
    assert official(reply) == lenient(reply) == DOG


@pytest.mark.parametrize("reply", LENIENT_ONLY)
def test_what_only_the_lenient_parser_understands(reply: str) -> None:
    assert official(reply) == NOTHING
    assert lenient(reply) == DOG


@pytest.mark.parametrize(
    "reply",
    ["", "   ", "Z", "cat or dog", "A dog beside a truck", "I am not sure", "E) Cat", "Kettle",
     "#", "A B C", "E and F"],
)  # fmt: skip
def test_what_is_ambiguous_or_no_choice_is_understood_by_neither(reply: str) -> None:
    assert official(reply) == NOTHING
    assert lenient(reply) == NOTHING


@pytest.mark.parametrize(
    ("reply", "verdicts"),
    [
        ("A. Rewind the video.", Verdicts("correct", "mismatch")),
        ("b.", Verdicts("wrong", "mismatch")),
        ("D.", Verdicts("mismatch", "wrong")),
        ("Fire truck.", Verdicts("mismatch", "wrong")),
    ],
)
def test_suggestions_and_categories_are_judged_apart(reply: str, verdicts: Verdicts) -> None:
    assert official(reply) == verdicts


def test_the_longest_name_in_a_sentence_counts() -> None:
    parsed = parse_lenient("Probably a fire truck, no?", SUGGESTIONS, CATEGORIES)
    assert parsed.category == "Fire truck."


def test_a_suggestion_in_a_sentence_is_found() -> None:
    parsed = parse_lenient("Let me wait for the man to leave first", SUGGESTIONS, CATEGORIES)
    assert (parsed.suggestion, parsed.verdicts) == (
        "Wait for the man to leave.",
        Verdicts("correct", "mismatch"),
    )


@given(st.text())
def test_no_reply_raises_and_lenient_never_contradicts_official(reply: str) -> None:
    strict = parse_official(reply, SUGGESTIONS, CATEGORIES)
    if strict.verdicts != NOTHING:
        assert parse_lenient(reply, SUGGESTIONS, CATEGORIES) == strict
