"""`benchmarks/learning`: its tasks, its measures, and the tables in `results/learning`."""

import json
from pathlib import Path

import pytest

pytest.importorskip("datasets", reason="needs the extra `train`")

from benchmarks.learning.evaluate import Measured, measure
from benchmarks.learning.outcome import readme
from benchmarks.learning.reactive import NOTHING, task
from proactive_agent.training.rows import QuestionRow

RESULTS = Path(__file__).parents[1] / "results" / "learning"
GUESSES = ("Star.", "Moon.", "Hourglass.", "Cross.")


def row(*, clear: bool) -> QuestionRow:
    asks = ("Turn it.", "I do not know.")
    return QuestionRow(0, "mvp-n", clear, "Which?", asks, GUESSES, asks[:1], "Moon.")


def test_a_clear_frame_is_named_with_or_without_a_question() -> None:
    assert [task(row(clear=True), asks) for asks in (None, 0.5)] == [
        ("", {"Moon.": 1.0}),
        ("Which?", {"Moon.": 1.0}),
    ]


def test_an_ambiguous_frame_gets_guesses_and_some_suggestions() -> None:
    assert task(row(clear=False), None) == ("", {NOTHING: 1.0})
    habit = task(row(clear=False), 0.08).habit
    assert habit == pytest.approx({"Turn it.": 0.08, **dict.fromkeys(GUESSES, 0.23)})


def test_measures_pool_models_over_the_same_samples() -> None:
    asking = {"rod": {0: (1.0, 1.0, 0.0, 1.0, 1.0), 1: (1.0, 0.0, 0.0, 1.0, 1.0)}, "coco": {}}
    silent = {"rod": {0: (0.0, 0.0, 0.0, 1.0, 1.0), 1: (0.0, 0.0, 1.0, 0.0, 1.0)}, "coco": {}}
    found = measure([asking, silent], ("rod", "coco"))
    assert found.samples == 2
    values = (found.asks, found.solves, found.over_asks, found.clear_accuracy)
    assert [one.value for one in values] == [0.5, 0.25, 0.25, 0.75]


def test_the_committed_tables_match_the_committed_figures() -> None:
    kept = json.loads((RESULTS / "figures.json").read_text())
    figures = {
        column: {name: Measured.model_validate(found) for name, found in rows.items()}
        for column, rows in kept["figures"].items()
    }
    written = readme(figures, kept["seed_by_seed"], kept["seeds"], kept["minutes"], kept["train"])
    assert (RESULTS / "README.md").read_text() == written
