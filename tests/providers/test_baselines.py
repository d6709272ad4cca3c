import asyncio

import pytest

from proactive_agent.providers import Choice, Request, RequestKey, create_provider
from proactive_agent.tools import Abstain, Answer, Intervention, UserError

LEFT = Intervention("move_object", "left")
CHOICES = (
    Choice("ask", LEFT, "A. Left."),
    Choice("abstain", Abstain("I cannot."), "B. I cannot."),
    Choice("ask", Intervention("move_object", "right"), "C. Right."),
    Choice("answer", Answer("Cat."), "D. Cat."),
    Choice("answer", Answer("Dog."), "E. Dog."),
)


def replies(name: str, choices: tuple[Choice, ...] = CHOICES, **more: object) -> set[str]:
    provider = create_provider(f"baseline:{name}")

    async def ask(seed: int) -> str:
        request = Request(RequestKey("rod", 0, 0), (), seed=seed, choices=choices, **more)  # type: ignore[arg-type]
        return (await provider.complete(request)).text

    return {asyncio.run(ask(seed)) for seed in range(60)}


def test_random_picks_every_choice_sooner_or_later() -> None:
    assert replies("random") == {choice.text for choice in CHOICES}


def test_always_ask_asks() -> None:
    assert replies("always-ask") == {"A. Left.", "C. Right."}


def test_always_ask_picks_something_where_nothing_can_be_asked() -> None:
    assert replies("always-ask", CHOICES[3:]) == {"D. Cat.", "E. Dog."}


def test_never_ask_answers() -> None:
    assert replies("never-ask") == {"D. Cat.", "E. Dog."}


def test_first_option_takes_what_stands_first() -> None:
    assert replies("first-option") == {"A. Left."}


def test_oracle_takes_the_environments_next_step() -> None:
    assert replies("oracle", best=lambda: Answer("Dog.")) == {"E. Dog."}


def test_oracle_abstains_in_whatever_words_are_there() -> None:
    assert replies("oracle", best=lambda: Abstain()) == {"B. I cannot."}


def test_the_same_seed_gives_the_same_pick() -> None:
    provider = create_provider("baseline:random")
    request = Request(RequestKey("rod", 0, 0), (), seed=3, choices=CHOICES)
    first, second = (asyncio.run(provider.complete(request)) for _ in range(2))
    assert first == second


def test_an_unknown_baseline_is_wrong_input() -> None:
    with pytest.raises(UserError, match="known: oracle, random"):
        create_provider("baseline:genius")


def test_ask_once_asks_in_the_first_turn_and_then_answers() -> None:
    assert replies("ask-once") == {"A. Left.", "C. Right."}
    provider = create_provider("baseline:ask-once")
    later = Request(RequestKey("rod", 0, 1), (), choices=CHOICES)
    assert asyncio.run(provider.complete(later)).text in {"D. Cat.", "E. Dog."}


def test_text_only_takes_the_best_action_without_the_picture() -> None:
    assert replies("text-only", blind=lambda: Answer("Cat.")) == {"D. Cat."}
