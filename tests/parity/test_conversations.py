"""Compares solved examples and conversations on the embedded suite with the published package."""

import asyncio
import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proactive_agent.play.conditions import ConditionOptions, parse_condition
from proactive_agent.play.conditions.icl import FORMS
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
from tests.parity.generate import random_sample
from tests.parity.test_parity import (
    difference,
    drive,
    entries_of,
    reference_python,  # noqa: F401  # a fixture
)
from tests.proactive_agent.scripted import Sightless
from tests.scenarios.official_layout import write_samples


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


@pytest.fixture(scope="module")
def generated(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Returns random samples without pictures, with the authors' wording."""
    folder = tmp_path_factory.mktemp("generated") / "data"
    for name in FORMS:
        rng = random.Random(name)
        fields = (random_sample(SCENARIOS[name].stem, i, rng) for i in range(25))
        # With a single frame there is no turn for a suggestion.
        write_samples(folder, name, [f for f in fields if f["num_images"] > 1])
    write_pack(folder, official_wheel)
    return DataFolder(folder, unfiltered=True)


class Shown(NamedTuple):
    """The solved examples of one episode."""

    samples: list[Sample]
    messages: tuple[Message, ...]


def examples(
    data: DataFolder, sample: Sample, scenario: str, condition: str, options: ConditionOptions
) -> Shown:
    """Returns the examples before the first turn and the samples that the record names."""
    provider = Sightless("?")
    play = Play(data, provider, Mcqa(), parse_condition(condition, "mcqa", options))
    episode = asyncio.run(play_episode(play, scenario, sample))
    every = {sample.id: sample for sample in data.samples(scenario)}
    return Shown([every[i] for i in episode.examples], provider.requests[0].messages[:-1])


def step(data: DataFolder, question: Message, reply: Message) -> dict[str, Any]:
    """Returns one turn of an example; the key of a picture contains its hash or its path."""
    image, text = question.content  # type: ignore[union-attr]
    assert isinstance(image, ImagePart)
    assert isinstance(text, TextPart)
    assert isinstance(reply, AssistantMessage)
    return {
        "picture": image.key.split()[0],
        "size": list(image.load().size) if has_pictures(data) else None,
        "prompt": text.text,
        "reply": reply.text,
    }


def has_pictures(data: DataFolder) -> bool:
    return any(data.root.rglob("*.webp"))


@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize(("condition", "why"), [("icl:3", False), ("hint+icl:3", True)])
@pytest.mark.parametrize("scenario", FORMS)
@pytest.mark.parametrize("samples", ["suite", "generated"])
def test_solved_examples_are_the_published_ones(
    request: pytest.FixtureRequest,
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    samples: str,
    scenario: str,
    condition: str,
    why: bool,
    reduced: bool,
) -> None:
    data: DataFolder = request.getfixturevalue(samples)
    options = ConditionOptions(icl_reasoning=why, icl_reduced=reduced)
    entries, known_sizes = entries_of(data.root, FORMS), sizes(data, scenario)
    ours: list[list[dict[str, Any]]] = []
    lines = []
    for asked in data.samples(scenario):
        shown = examples(data, asked, scenario, condition, options)
        left = list(shown.messages)
        for sample in shown.samples:
            turns = []
            while not turns or turns[-1]["reply"] != sample.answer:
                turns.append(step(data, left.pop(0), left.pop(0)))
            ours.append(turns)
            lines.append(
                {
                    "stem": SCENARIOS[scenario].stem,
                    "entry": entries[scenario, sample.id],
                    "hint": condition.startswith("hint"),
                    "reasoning": why,
                    "reduced": reduced,
                    "choose": next(o for o in sample.suggestions if turns[0]["reply"].endswith(o)),
                    "sizes": known_sizes,
                }
            )
        assert left == []
    published = drive(reference_python, official_wheel, data.root.parent / "unpacked", lines)
    theirs = [
        [
            {
                "picture": data.images.open(ImageRef(turn["path"])).sha256
                if has_pictures(data)
                else turn["path"],
                "size": turn["size"] if has_pictures(data) else None,
                "prompt": turn["prompt"],
                "reply": turn["reply"],
            }
            for turn in example["steps"]
        ]
        for example in published
    ]
    assert ours == theirs
    longest = max(map(len, ours))
    assert longest > 2 if scenario == "mvp-n" and not reduced else longest == 2


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
