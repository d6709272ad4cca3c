"""`benchmarks/learning`: its tasks, its measures, and the tables in `results/learning`."""

from pathlib import Path

import pytest

pytest.importorskip("datasets", reason="needs the extra `train`")

from benchmarks.learning import scenes
from benchmarks.learning.__main__ import kept
from benchmarks.learning.evaluate import measure, play, samples_of
from benchmarks.learning.outcome import Figures, readme
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
    asking = {
        "rod": {0: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0), 1: (1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0)},
        "coco": {2: (1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
    }
    silent = {
        "rod": {0: (0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0), 1: (0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0)},
        "coco": {2: (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
    }
    found = measure([asking, silent], ("rod", "coco"))
    assert (found.samples, found.clear_samples) == (3, 2)
    values = (found.asks, found.solves, found.informed, found.over_asks, found.clear_accuracy)
    assert [one.value for one in values] == pytest.approx([1 / 2, 1 / 2, 1 / 6, 1 / 4, 3 / 4])
    assert measure([asking, silent], ("coco",)).over_asks.value is None


def test_the_oracle_is_informed_and_guesses_are_not(tmp_path: Path) -> None:
    scenes.build(tmp_path / "data", ("quickdraw", "coco"), each=1, seed=0)
    found = {}
    for name in ("oracle", "never-ask"):
        play(f"baseline:{name}", tmp_path / "data", tmp_path / name)
        found[name] = measure([samples_of(tmp_path / name)], ("quickdraw", "coco"))
    oracle, guesses = found["oracle"], found["never-ask"]
    assert [one.value for one in (oracle.asks, oracle.informed, oracle.over_asks)] == [1, 1, 0]
    assert guesses.informed.value == 0
    # `clear` leaves out four coco samples whose first crop is too small.
    assert (oracle.samples, oracle.clear_samples) == (16, 12)


def test_a_stopped_experiment_keeps_complete_folders_only(tmp_path: Path) -> None:
    def make(out: Path) -> None:
        out.mkdir()
        (out / "model").write_text("weights")

    def stopped(out: Path) -> None:
        make(out)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "first", stopped)
    assert not (tmp_path / "first").exists()
    assert (kept(tmp_path / "first", make) / "model").read_text() == "weights"
    kept(tmp_path / "first", stopped)


def test_the_committed_tables_match_the_committed_figures() -> None:
    figures = Figures.model_validate_json((RESULTS / "figures.json").read_text())
    assert (RESULTS / "README.md").read_text() == readme(figures)
