"""The best guess of a policy that sees no picture."""

import pytest

from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.text_only import TextOnlyGuesses


def samples(*rows: tuple[str, list[str]], question: str = "What is it?") -> list[Sample]:
    fields = {
        "image_template": "{image}.png", "first_image": 0, "num_images": 2, "reference_image": 1,
        "prompt": question, "options": ["Add details.", "I cannot say."],
    }  # fmt: skip
    return [
        Sample.model_validate(fields | {"id": i, "answer": answer, "categories": categories})
        for i, (answer, categories) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("Cat.", ["Dog.", "Cat."]), ("Cat.", ["Cat.", "Fox."])] * 3, id="word"),
        pytest.param(
            [("Fox.", ["Cat.", "Fox."]), ("Hen.", ["Dog.", "Hen."]), ("Owl.", ["Emu.", "Owl."])],
            id="position",
        ),
        pytest.param(
            [("Wombat.", ["Wombat.", "Ox."]), ("Giraffe.", ["Bee.", "Giraffe."]),
             ("Hamster.", ["Hamster.", "Eel."]), ("Penguin.", ["Ant.", "Penguin."])],
            id="length",
        ),
    ],
)  # fmt: skip
def test_it_finds_what_gives_the_answers_away(rows: list[tuple[str, list[str]]]) -> None:
    every = samples(*rows)
    guesses = TextOnlyGuesses(every)
    assert [guesses.best(sample) for sample in every] == [[sample.answer] for sample in every]


def test_a_sample_does_not_tell_its_own_answer() -> None:
    (one,) = samples(("Cat.", ["Dog.", "Cat."]))
    assert TextOnlyGuesses([one]).best(one) == ["Dog.", "Cat."]
