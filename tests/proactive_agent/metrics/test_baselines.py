"""Scripted baselines have the expected scores."""

import copy
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proactive_agent.metrics import Summary
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment
from proactive_agent.tools import Action, Answer
from tests.proactive_agent.running import play_run

RINGS = ("rod", "vsod")
"""Scenarios in which every suggestion is accepted in every state."""


def play(baseline: str, results: Path, **more: Any) -> Summary:
    """Plays a baseline on the embedded suite with multiple choice."""
    scenarios = tuple(more.pop("scenarios", SCENARIOS))
    settings = Settings(
        provider=f"baseline:{baseline}", protocol="mcqa", scenarios=scenarios, **more
    )
    return play_run(PlannedRun.new(settings, results)).summary


class Expected(NamedTuple):
    """Expected results of an episode from a given state."""

    right: Fraction
    turns: Fraction


def expected(environment: Environment[Any]) -> Expected:
    """The expected results of uniformly random choices in every state."""

    @cache
    def ahead(turn: int, frame: int) -> Expected:
        state = copy.copy(environment)
        state.turn, state.frame = turn, frame
        seen = state.observe()
        actions: list[Action] = [option.action for option in seen.options]
        actions += [Answer(category) for category in seen.categories]
        right, turns = Fraction(0), Fraction(1)
        for action in actions:
            after = copy.copy(state)
            after.step(action)
            right += Fraction(after.correct, len(actions))
            if after.stop is None:
                then = ahead(after.turn, after.frame)
                right += then.right / len(actions)
                turns += then.turns / len(actions)
        return Expected(right, turns)

    return ahead(environment.turn, environment.frame)


def test_random_choices_in_rod_have_the_expected_accuracy(tmp_path: Path) -> None:
    data = DataFolder()
    each = [expected(data.environment("rod", sample)) for sample in data.samples("rod")]
    acc = float(sum(one.right for one in each) / len(each))
    psr = float(sum(one.turns - 1 for one in each) / len(each))
    # Seven options, two of which continue the episode; no category counts in the first turn.
    assert acc == pytest.approx(sum((2 / 7) ** turn / 7 for turn in range(1, 14)))

    rod = play("random", tmp_path, scenarios=("rod",), repeats=40, seed=1).scenarios["rod"]
    assert rod.episodes == 40 * len(each)
    assert rod.acc.low < acc < rod.acc.high
    assert rod.acc.high - rod.acc.low < 0.04
    assert rod.psr.low < psr < rod.psr.high


def test_the_oracle_is_always_right_by_the_shortest_way(tmp_path: Path) -> None:
    summary = play("oracle", tmp_path)
    assert {found.acc.value for found in summary.scenarios.values()} == {1.0}
    assert {found.informed.value for found in summary.scenarios.values()} == {1.0}
    assert {found.extra_asks.value for found in summary.scenarios.values()} == {0.0}
    assert summary.macro.right_at_once.value == 0


def test_a_model_that_never_asks_is_never_informed(tmp_path: Path) -> None:
    summary = play("never-ask", tmp_path)
    assert summary.macro.acc.value
    assert {found.informed.value for found in summary.scenarios.values()} == {0.0}


def test_a_model_that_always_asks_reaches_the_turn_limit(tmp_path: Path) -> None:
    summary = play("always-ask", tmp_path, scenarios=RINGS)
    for scenario, found in summary.scenarios.items():
        limits = [sample.num_images for sample in DataFolder().samples(scenario)]
        assert found.at_limit.value == 1
        assert found.acc.value == 0
        assert found.psr.value == pytest.approx(sum(limits) / len(limits) - 1)
        assert found.suggestions.value == pytest.approx(sum(limits) / len(limits))
