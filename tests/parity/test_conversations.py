"""Compares solved examples and conversations on the embedded suite with the published package."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.play.conditions import ConditionOptions, parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa
from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    Message,
    TextPart,
    create_provider,
)
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios import SCENARIOS, DataFolder, ImageRef, Sample
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.scenarios.protocol_pack import write_pack
from tests.parity.test_parity import (
    difference,
    drive,
    entries_of,
    reference_python,  # noqa: F401  # a fixture
)
from tests.proactive_agent.scripted import Scripted


@pytest.fixture(scope="module")
def suite(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Returns the embedded suite with the authors' wording."""
    folder = tmp_path_factory.mktemp("suite") / "data"
    shutil.copytree(EMBEDDED, folder)
    write_pack(folder, official_wheel)
    return DataFolder(folder, unfiltered=True)


def sizes(data: DataFolder, scenario: str) -> dict[str, tuple[int, int]]:
    """Returns the size of every picture of a scenario by path."""
    paths = [p.relative_to(data.root).as_posix() for p in data.root.rglob("*.webp")]
    own = [path for path in paths if path.startswith(SCENARIOS[scenario].stem)]
    return {path: data.images.open(ImageRef(path)).image.size for path in own}


def first_request(
    data: DataFolder, sample: Sample, scenario: str, condition: str, why: bool
) -> Any:
    provider = Scripted("Z.")
    options = ConditionOptions(icl_reasoning=why)
    play = Play(data, provider, Mcqa(), parse_condition(condition, "mcqa", options))
    asyncio.run(play_episode(play, scenario, sample))
    return provider.requests[0].messages


def step(question: Message, reply: Message) -> dict[str, Any]:
    """Returns one turn of an example; the key of a picture contains its hash."""
    image, text = question.content  # type: ignore[union-attr]
    assert isinstance(image, ImagePart)
    assert isinstance(text, TextPart)
    assert isinstance(reply, AssistantMessage)
    return {
        "sha256": image.key.split()[0],
        "size": list(image.load().size),
        "prompt": text.text,
        "reply": reply.text,
    }


@pytest.mark.parametrize(("condition", "why"), [("icl:3", False), ("hint+icl:3", True)])
@pytest.mark.parametrize("scenario", ["rod", "mvp-n"])
def test_solved_examples_are_the_published_ones(
    suite: DataFolder,
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    scenario: str,
    condition: str,
    why: bool,
) -> None:
    def sha256(path: str) -> str:
        return suite.images.open(ImageRef(path)).sha256

    samples = list(suite.samples(scenario))
    by_picture = {
        sha256(suite.environment(scenario, sample).image().path): sample for sample in samples
    }
    assert len(by_picture) == len(samples)
    entries, known_sizes = entries_of(suite.root), sizes(suite, scenario)
    ours: list[list[dict[str, Any]]] = []
    lines = []
    for asked in samples:
        messages = first_request(suite, asked, scenario, condition, why)[:-1]
        assert len(messages) == 3 * 4
        for start in range(0, len(messages), 4):
            turns = [step(*messages[i : i + 2]) for i in (start, start + 2)]
            sample = by_picture[turns[0]["sha256"]]
            ours.append(turns)
            lines.append(
                {
                    "stem": SCENARIOS[scenario].stem,
                    "entry": entries[scenario, sample.id],
                    "hint": condition.startswith("hint"),
                    "reasoning": why,
                    "choose": next(o for o in sample.suggestions if turns[0]["reply"].endswith(o)),
                    "sizes": known_sizes,
                }
            )
    published = drive(reference_python, official_wheel, suite.root.parent / "unpacked", lines)
    theirs = [
        [
            {
                "sha256": sha256(shown["path"]),
                "size": shown["size"],
                "prompt": shown["prompt"],
                "reply": shown["reply"],
            }
            for shown in example["steps"]
        ]
        for example in published
    ]
    assert ours == theirs


async def with_history(data: DataFolder, scenarios: list[str]) -> list[EpisodeRecord]:
    oracle = create_provider("baseline:oracle")
    play = Play(data, oracle, Mcqa(), parse_condition("history", "mcqa"))
    return [
        await play_episode(play, scenario, sample)
        for scenario in scenarios
        for sample in data.samples(scenario)
    ]


def test_small_pictures_are_the_published_ones(
    suite: DataFolder,
    official_wheel: Path,
    reference_python: str,  # noqa: F811
) -> None:
    # The published code does not scale the crops of COCO; this program does.
    scenarios = [name for name in SCENARIOS if name != "coco"]
    ours = asyncio.run(with_history(suite, scenarios))
    entries = entries_of(suite.root)
    known_sizes = {name: sizes(suite, name) for name in scenarios}
    lines = [
        {
            "stem": SCENARIOS[episode.scenario].stem,
            "entry": entries[episode.scenario, episode.sample_id],
            "hint": False,
            "reference": False,
            "resize": True,
            "sizes": known_sizes[episode.scenario],
            "replies": [turn.reply.text for turn in episode.turns],
        }
        for episode in ours
    ]
    published = drive(reference_python, official_wheel, suite.root.parent / "unpacked", lines)
    assert [difference(o, p) for o, p in zip(ours, published, strict=True)] == [None] * len(ours)
    shown = [[list(turn.image.size or ()) for turn in episode.turns] for episode in ours]
    assert shown == [[turn["size"] for turn in episode["turns"]] for episode in published]
