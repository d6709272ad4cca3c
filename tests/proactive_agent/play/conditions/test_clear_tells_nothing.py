"""Neither texts nor picture sizes tell clear frames from ambiguous ones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS
from tests.proactive_agent.running import play_new

# Fixture of the builder's tests: a build of all seven scenarios.
from tests.scenarios.builder.conftest import whole  # noqa: F401

PROTOCOLS = ("tools", "mcqa", "oeg")
CONDITIONS = ("zero-shot", "clear")


def shown(results: Path, protocol: str, condition: str, data: str | None) -> list[EpisodeRecord]:
    settings = Settings(
        provider="baseline:never-ask", protocol=protocol, condition=condition, data=data,
        scenarios=tuple(SCENARIOS),
    )  # fmt: skip
    return list(play_new(settings, results / f"{protocol}-{condition}").episodes())


def features(episode: EpisodeRecord) -> Iterator[Any]:
    """Features of the first turn that a policy without pictures sees, one by one and combined."""
    turn = episode.turns[0]
    tools = tuple(str(tool) for tool in turn.tools)
    text = (turn.prompt, tools)
    yield from (text, turn.image.size, (text, turn.image.size))
    yield (turn.image.size[0] * turn.image.size[1] // 10_000 if turn.image.size else None)
    yield (len(turn.prompt), len(turn.options))


def left_out_accuracy(labelled: Sequence[tuple[Any, str, Any]]) -> float:
    """Returns the balanced accuracy of guessing the condition from a feature.

    The guess for a sample is the condition that the feature had most often in other samples; ties
    and unseen features count one half.
    """
    counts: Counter[tuple[Any, str]] = Counter((value, label) for value, label, _ in labelled)
    own: Counter[tuple[Any, str, Any]] = Counter(labelled)
    hits = 0.0
    for value, label, sample in labelled:
        seen = {
            condition: counts[value, condition] - own[value, condition, sample]
            for condition in CONDITIONS
        }
        other = next(condition for condition in CONDITIONS if condition != label)
        hits += (seen[label] > seen[other]) + 0.5 * (seen[label] == seen[other])
    return hits / len(labelled)


@pytest.mark.parametrize("built", [False, True], ids=["suite", "built"])
def test_a_classifier_of_texts_and_sizes_does_not_beat_chance(
    built: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data = str(request.getfixturevalue("whole")) if built else None
    for protocol in PROTOCOLS:
        runs = {name: shown(tmp_path, protocol, name, data) for name in CONDITIONS}
        clear = {episode.key: tuple(features(episode)) for episode in runs["clear"]}
        ambiguous = {
            episode.key: tuple(features(episode))
            for episode in runs["zero-shot"]
            if episode.key in clear
        }
        assert {key.scenario for key in clear} >= set(SCENARIOS) - {"coco"}
        assert clear == ambiguous
        for number in range(len(next(iter(clear.values())))):
            labelled = [
                (each[number], label, key)
                for label, found in (("clear", clear), ("zero-shot", ambiguous))
                for key, each in found.items()
            ]
            assert left_out_accuracy(labelled) <= 0.5


def test_the_suite_has_clear_frames_in_every_scenario(tmp_path: Path) -> None:
    episodes = shown(tmp_path, "mcqa", "clear", None)
    assert {episode.scenario for episode in episodes} == set(SCENARIOS)
