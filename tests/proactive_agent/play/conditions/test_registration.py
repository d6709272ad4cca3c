"""Conditions that a user registers."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Self

import pytest

from proactive_agent.play.conditions import (
    Condition,
    ConditionOptions,
    Situation,
    parse_condition,
    register_condition,
)
from proactive_agent.play.conditions.registry import CONDITIONS
from proactive_agent.scenarios import Observation
from proactive_agent.settings.condition_label import argument_of
from proactive_agent.tools import UserError
from tests.proactive_agent.scripted import Mcqa, Scripted, play


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """Leaves the registry as it was."""
    before = dict(CONDITIONS)
    yield
    CONDITIONS.clear()
    CONDITIONS.update(before)


class Polite(Condition):
    """Adds a polite word to the question."""

    name: ClassVar = "polite"

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        return replace(observation, question=f"{observation.question} Thank you.")


class Louder(Condition):
    name: ClassVar = "louder"
    labels: ClassVar = ("louder:2", "louder:3")

    def __init__(self, times: int) -> None:
        self.times = times

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        return cls(int(argument_of(label)))


def test_a_registered_condition_is_played_by_its_label() -> None:
    register_condition(Polite)
    model = Scripted("cannot say")
    episode = asyncio.run(play("rod", model, Mcqa(), "polite"))
    assert episode.condition == "polite"
    assert "? Thank you." in episode.turns[0].prompt


def test_it_combines_with_others() -> None:
    register_condition(Polite)
    assert parse_condition("hint+polite", "mcqa").name == "hint+polite"


def test_registering_returns_the_class() -> None:
    assert register_condition(Polite) is Polite


def test_labels_can_carry_an_argument() -> None:
    register_condition(Louder)
    (part,) = parse_condition("louder:3", "mcqa").parts
    assert isinstance(part, Louder)
    assert part.times == 3


@pytest.mark.parametrize("name", ["hint", "icl", "zero-shot"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    taken = type("Mine", (Condition,), {"name": name})
    with pytest.raises(UserError, match=f"condition name '{name}' of Mine is taken by"):
        register_condition(taken)


def test_a_class_without_a_name_of_its_own_is_refused() -> None:
    with pytest.raises(UserError, match="'zero-shot' of Mine is taken by Condition"):
        register_condition(type("Mine", (Condition,), {}))


@pytest.mark.parametrize("name", ["mcqa", "tools", "oeg"])
def test_the_name_of_a_protocol_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="is the name of a protocol"):
        register_condition(type("Mine", (Condition,), {"name": name}))


@pytest.mark.parametrize("name", ["a+b", "Polite", "", "two words"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="expected its name"):
        register_condition(type("Mine", (Condition,), {"name": name}))


def test_a_label_begins_with_the_name() -> None:
    mine = type("Mine", (Condition,), {"name": "mine", "labels": ("yours:1",)})
    with pytest.raises(UserError, match="'yours:1' of Mine: expected its name 'mine'"):
        register_condition(mine)


def test_a_refused_condition_leaves_the_registry_as_it_was() -> None:
    before = dict(CONDITIONS)
    with pytest.raises(UserError):
        register_condition(type("Mine", (Condition,), {"name": "hint"}))
    assert before == CONDITIONS


def test_a_class_that_is_defined_again_replaces_its_older_self() -> None:
    def define(labels: tuple[str, ...]) -> type[Condition]:
        return type("Mine", (Condition,), {"name": "mine", "labels": labels})

    register_condition(define(("mine:1", "mine:2")))
    again = register_condition(define(("mine:1",)))
    assert CONDITIONS["mine:1"] is again
    assert "mine:2" not in CONDITIONS
