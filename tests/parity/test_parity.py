"""Compares environments, prompts and official parser with the published package, turn by turn.

The published code needs Python >= 3.12 and runs in a subprocess with any such Python on PATH. The
test is skipped if there is none.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, ClassVar

import pytest

from proactive_agent.metrics import summarise
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa
from proactive_agent.providers import Provider, Reply, Request
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.protocol_pack import write_pack
from tests.parity.generate import random_reply, random_sample
from tests.proactive_agent.running import play_async

PER_SCENARIO = 340
EPISODES = 2000
"""Smallest number of episodes that must be compared to their end."""
CONDITIONS = ("zero-shot", "hint", "reference")
SHARES = (45, 45, 10)
DRIVER = Path(__file__).with_name("reference_driver.py")


class Improviser(Provider):
    """Replies at random in many surface forms; keeps its replies."""

    needs_images: ClassVar[bool] = False
    sees_environment: ClassVar[bool] = True

    def __init__(self) -> None:
        self.said: dict[tuple[str, Any], list[str]] = {}

    async def complete(self, request: Request) -> Reply:
        assert request.best is not None
        best = request.best()
        text = next((c.text for c in request.choices if c.action == best), "A.")
        reply = random_reply(request.choices, text, random.Random(request.seed))
        self.said.setdefault((request.key.scenario, request.key.sample_id), []).append(reply)
        return Reply(reply)


def newer_python() -> str | None:
    """Returns the path of a working Python >= 3.12, or None."""
    names = [f"python3.{minor}" for minor in range(12, 20)] + ["python3"]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    found = [sys.executable, *(str(Path(f) / name) for name in names for f in folders)]
    check = "import sys; sys.exit(sys.version_info < (3, 12))"
    for path in found:
        if (
            Path(path).is_file()
            and subprocess.run([path, "-c", check], check=False, capture_output=True).returncode
            == 0
        ):
            return path
    return None


@pytest.fixture(scope="module")
def reference_python() -> str:
    python = newer_python()
    if python is None:
        pytest.skip("the published package needs Python >= 3.12, and none is on PATH")
    return python


@pytest.fixture(scope="module")
def folder(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a data folder with random samples and the protocol pack of the wheel."""
    folder = tmp_path_factory.mktemp("parity")
    for number, scenario in enumerate(SCENARIOS.values()):
        rng = random.Random(number)
        lines = [json.dumps(random_sample(scenario.stem, i, rng)) for i in range(PER_SCENARIO)]
        (folder / f"{scenario.stem}_preprocessed.jsonl").write_text("\n".join(lines) + "\n")
    write_pack(folder, official_wheel)
    return folder


def condition_of(scenario: str, sample_id: object) -> str:
    return random.Random(f"{scenario} {sample_id}").choices(CONDITIONS, SHARES)[0]


async def improvise(folder: Path) -> dict[tuple[str, Any], list[str]]:
    """Plays every sample with random replies in this program and returns the replies."""
    provider = Improviser()
    data = DataFolder(folder, unfiltered=True)
    for scenario in SCENARIOS:
        for sample in data.samples(scenario):
            condition = parse_condition(condition_of(scenario, sample.id), "mcqa")
            await play_episode(Play(data, provider, Mcqa(), condition), scenario, sample)
    return provider.said


def replay(folder: Path, said: dict[tuple[str, Any], list[str]], condition: str) -> Path:
    """Writes a replay file with the episodes of one condition."""
    file = folder / f"{condition}.jsonl"
    lines = [
        # Extra replies reveal an episode that continues after the published one has ended.
        {"scenario": scenario, "sample_id": sample_id, "replies": [*replies, "Z.", "Z."]}
        for (scenario, sample_id), replies in said.items()
        if condition_of(scenario, sample_id) == condition
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


async def run_ours(folder: Path, file: Path, condition: str) -> list[EpisodeRecord]:
    """Returns the episodes that `run --provider replay:FILE --protocol mcqa` records."""
    settings = Settings(
        provider=f"replay:{file}",
        data=str(folder),
        scenarios=tuple(SCENARIOS),
        protocol="mcqa",
        condition=condition,
        unfiltered=True,
    )
    run = await play_async(PlannedRun.new(settings, folder / "results"))
    return [
        episode
        for episode in run.folder.episodes()
        if condition_of(episode.scenario, episode.sample_id) == condition
    ]


def run_published(
    python: str, wheel: Path, folder: Path, episodes: Sequence[EpisodeRecord],
    said: dict[tuple[str, Any], list[str]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Plays the same episodes in the published package."""
    entries = entries_of(folder)
    lines = [
        {
            "stem": SCENARIOS[episode.scenario].stem,
            "entry": entries[episode.scenario, episode.sample_id],
            "hint": episode.condition == "hint",
            "reference": episode.condition == "reference",
            "replies": [*said[episode.scenario, episode.sample_id], "Z.", "Z."],
        }
        for episode in episodes
    ]
    return drive(python, wheel, folder / "unpacked", lines)


def entries_of(
    folder: Path, scenarios: Iterable[str] = tuple(SCENARIOS)
) -> dict[tuple[str, Any], dict[str, Any]]:
    """Returns the unparsed samples of a folder by scenario and id."""
    return {
        (name, fields["id"]): fields
        for name in scenarios
        for line in DataFolder(folder).file(name).read_text().splitlines()
        for fields in [json.loads(line)]
    }


def drive(
    python: str,
    wheel: Path,
    unpacked: Path,
    lines: Sequence[dict[str, Any]],
    driver: Path = DRIVER,
) -> list[dict[str, Any]]:
    """Unpacks the published package and returns its output for each line."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    done = subprocess.run(
        [python, str(driver), str(unpacked)], input="\n".join(map(json.dumps, lines)),
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def difference(ours: EpisodeRecord, published: dict[str, Any]) -> str | None:
    """Returns the first difference of an episode, or None.

    If the published code crashes, the turns before the crash are compared.
    """
    for mine, theirs in zip(ours.turns, published["turns"], strict=False):
        crop = None if mine.image.crop is None else list(mine.image.crop)
        seen = (
            mine.image.path,
            crop,
            mine.prompt,
            mine.options,
            *mine.verdict.model_dump().values(),
        )
        keys = ("path", "crop", "prompt", "options", "suggestion", "category")
        for key, value in zip(keys, seen, strict=True):
            if value != theirs[key]:
                return f"turn {mine.index}: {key}: {value!r} != {theirs[key]!r}"
    if published["crash"]:
        return None
    end = (ours.outcome.correct, ours.outcome.turns, ours.outcome.stop != "error")
    if end != (published["correct"], published["num_turns"], published["stop"]):
        return f"end: {ours.outcome} {ours.error} != {published}"
    return None


@pytest.fixture(scope="module")
def played(
    folder: Path, official_wheel: Path, reference_python: str
) -> tuple[list[EpisodeRecord], list[dict[str, Any]]]:
    said = asyncio.run(improvise(folder))
    ours: list[EpisodeRecord] = []
    for condition in CONDITIONS:
        file = replay(folder, said, condition)
        ours += asyncio.run(run_ours(folder, file, condition))
    return ours, run_published(reference_python, official_wheel, folder, ours, said)


def check_every_turn(folder: Path, wheel: Path, python: str) -> None:
    """Asserts that all episodes of a folder, in every condition, are the published ones."""
    said = asyncio.run(improvise(folder))
    ours = [
        episode
        for condition in CONDITIONS
        for episode in asyncio.run(run_ours(folder, replay(folder, said, condition), condition))
    ]
    published = run_published(python, wheel, folder, ours, said)
    assert len(ours) == len(said)
    assert [p["crash"] for p in published] == [None] * len(ours)
    assert [difference(o, p) for o, p in zip(ours, published, strict=True)] == [None] * len(ours)


def test_every_turn_is_the_published_one(played: Any) -> None:
    ours, published = played
    assert len(ours) == len(published) == PER_SCENARIO * len(SCENARIOS)
    differing = [
        f"{o.scenario}:{o.sample_id} {o.condition}: {d}"
        for o, p in zip(ours, published, strict=True)
        if (d := difference(o, p))
    ]
    assert differing == []


def test_enough_episodes_are_compared_to_their_end(played: Any) -> None:
    ours, published = played
    whole = Counter(o.scenario for o, p in zip(ours, published, strict=True) if not p["crash"])
    assert sum(whole.values()) >= EPISODES
    assert min(whole.values()) >= 0.5 * PER_SCENARIO, whole


def test_acc_and_psr_are_those_of_the_published_statistics(played: Any) -> None:
    pairs = [(o, p) for o, p in zip(*played, strict=True) if not p["crash"]]
    summary = summarise(ours for ours, _ in pairs)
    for scenario, found in summary.scenarios.items():
        theirs = [published for ours, published in pairs if ours.scenario == scenario]
        assert found.episodes == len(theirs)
        assert found.acc.value == pytest.approx(mean(p["correct"] for p in theirs))
        assert found.psr.value == pytest.approx(mean(p["num_turns"] - 1 for p in theirs))
