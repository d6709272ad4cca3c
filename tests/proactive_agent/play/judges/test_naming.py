import pytest

from proactive_agent.play.judges.naming import settled_category

CATEGORIES = ("Horse.", "Cow.", "Donkey.", "Tulips.", "Table tennis table.", "Table.")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Horse", "Horse."),
        ("The answer is **Horse**.", "Horse."),
        ("I'm not sure, but it looks like a horse.", "Horse."),
        ("If I had to guess, I'd say horse", "Horse."),
        ("It's a horse, not a cow or a donkey.", "Horse."),
        ("At first glance it's a cow, but it is a horse.", "Horse."),
        ("No, a horse.", "Horse."),
        ("A horse?", "Horse."),
        ("a tulip", "Tulips."),
        ("cows", "Cow."),
        ("a table-tennis table", "Table tennis table."),
        ("I would say it's a horse, although a donkey can't be excluded.", "Horse."),
    ],
)
def test_what_a_text_settles_on(text: str, category: str) -> None:
    assert settled_category(text, CATEGORIES) == category


@pytest.mark.parametrize(
    "text",
    [
        "Not a horse.",
        "It isn't a horse",
        "Anything but a horse.",
        "The horse is ruled out.",
        "It could be a horse, a cow or a donkey.",
        "either a horse or a cow",
        "Horse/cow",
        "A horse or some other animal",
        "Is it a horse?",
        "I cannot tell whether this is a horse.",
        "I'm not sure it's a horse.",
        "It would be a horse if it had a mane.",
        "The options are horse, cow and donkey.",
        "Horse? Cow? Who knows.",
        "a horse-drawn cart",
        "Show the horse, please.",
        "seahorses",
        "",
    ],
)
def test_what_settles_on_nothing(text: str) -> None:
    assert settled_category(text, CATEGORIES) is None


def test_categories_that_are_no_words_are_never_found() -> None:
    assert settled_category("anything", [".", " ", "("]) is None
    assert settled_category("anything", []) is None
