"""Compares the condition `random-suggestions` with the published package, turn by turn."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.tools import Intervention
from tests.parity.test_parity import (
    Improviser,
    difference,
    drive,
    entries_of,
    folder,  # noqa: F401  # a fixture
    reference_python,  # noqa: F401  # a fixture
)

CONDITIONS = ("random-suggestions", "hint+random-suggestions")
PER_CONDITION = 100
"""Episodes of each scenario in each condition."""


async def improvise(data: DataFolder, provider: Improviser) -> list[EpisodeRecord]:
    """Plays different samples in each condition, with random replies."""
    episodes = []
    for scenario in SCENARIOS:
        samples = iter(list(data.samples(scenario)))
        for condition in CONDITIONS:
            play = Play(data, provider, Mcqa(), parse_condition(condition, "mcqa"))
            episodes += [
                await play_episode(play, scenario, next(samples)) for _ in range(PER_CONDITION)
            ]
    return episodes


def with_shown_options(entry: dict[str, Any], episode: EpisodeRecord) -> dict[str, Any]:
    """Returns a sample with the suggestions that were shown in place of its own."""
    return entry | {"options": episode.turns[0].options[: -len(entry["categories"])]}


def draw(scenario: str, turn: TurnRecord) -> str | None:
    """Returns a word for the action that followed a turn, as the published code writes it."""
    performed = turn.action.performed
    if performed is None:
        return None
    wanted = Intervention(performed.tool, performed.argument)
    return next(word for word, one in SCENARIOS[scenario].keywords.items() if one == wanted)


def test_every_turn_with_random_suggestions_is_the_published_one(
    folder: Path,  # noqa: F811
    official_wheel: Path,
    reference_python: str,  # noqa: F811
) -> None:
    provider = Improviser()
    ours = asyncio.run(improvise(DataFolder(folder, unfiltered=True), provider))
    entries = entries_of(folder)
    lines = [
        {
            "stem": SCENARIOS[episode.scenario].stem,
            "entry": with_shown_options(entries[episode.scenario, episode.sample_id], episode),
            "hint": episode.condition.startswith("hint"),
            "reference": False,
            # Extra replies reveal an episode that continues after this program has ended it.
            "replies": [*provider.said[episode.scenario, episode.sample_id], "Z.", "Z."],
            "draws": [*(draw(episode.scenario, turn) for turn in episode.turns), None, None],
        }
        for episode in ours
    ]
    published = drive(reference_python, official_wheel, folder / "unpacked", lines)
    pairs = list(zip(ours, published, strict=True))
    assert [f"{o.scenario}:{o.sample_id}: {d}" for o, p in pairs if (d := difference(o, p))] == []
    whole = Counter(o.scenario for o, p in pairs if not p["crash"])
    assert min(whole[scenario] for scenario in SCENARIOS) >= PER_CONDITION, whole
    stops = Counter(episode.outcome.stop for episode in ours)
    assert min(stops[s] for s in ("answered", "abstained", "turn_limit", "left_video")) > 5, stops
