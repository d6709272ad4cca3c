"""Tests for condition labels."""

import pytest

from proactive_agent.settings.condition_label import (
    argument_of,
    is_well_formed,
    joined,
    name_of,
    parts_of,
    varied_parts,
)


def test_parts_keep_their_order_and_arguments() -> None:
    assert parts_of("hint+icl:3") == ("hint", "icl:3")


def test_a_part_is_a_name_and_an_argument() -> None:
    assert (name_of("icl:3"), argument_of("icl:3")) == ("icl", "3")
    assert (name_of("hint"), argument_of("hint")) == ("hint", "")


def test_zero_shot_varies_nothing() -> None:
    assert varied_parts("zero-shot") == frozenset()
    assert varied_parts("hint+history") == {"hint", "history"}


def test_joining_is_the_inverse_of_splitting() -> None:
    assert joined(parts_of("hint+icl:3")) == "hint+icl:3"
    assert joined([]) == "zero-shot"


@pytest.mark.parametrize("part", ["hint", "random-suggestions", "icl:3", "blur:0.5"])
def test_well_formed_parts(part: str) -> None:
    assert is_well_formed(part)


@pytest.mark.parametrize(
    "part", ["", "a+b", "Hint", "two words", "icl:", ":3", "a:b:c", "-a", "a\n"]
)
def test_parts_that_could_not_be_told_apart_are_refused(part: str) -> None:
    assert not is_well_formed(part)
