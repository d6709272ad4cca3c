"""Built scenarios are verified and played by the ordinary program."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.protocol_pack import write_pack
from proactive_agent.scenarios.verify import Fault, VerifyReport, verify
from tests.parity.test_parity import (
    CONDITIONS,
    difference,
    improvise,
    reference_python,  # noqa: F401 - a fixture
    replay,
    run_ours,
    run_published,
)
from tests.proactive_agent.running import play_new
from tests.scenarios.builder.material import lines_of

Episodes = list[Any]


def played(data: Path, results: Path, provider: str, protocol: Any) -> Episodes:
    settings = Settings(
        provider=provider, data=str(data), scenarios=tuple(SCENARIOS), protocol=protocol
    )
    return list(play_new(settings, results).episodes())


def test_every_source_gives_its_samples(whole: Path) -> None:
    counts = {name: len(lines_of(whole, s.stem)) for name, s in SCENARIOS.items()}
    assert counts == {
        "rod": 10, "vsod": 10, "mvp-n": 5, "imagenet-c": 10, "quickdraw": 10, "changeit": 5,
        "coco": 10,
    }  # fmt: skip


def test_a_built_folder_verifies_clean(whole: Path) -> None:
    events = list(verify(whole))
    assert [event for event in events if isinstance(event, Fault)] == []
    assert {event.scenario for event in events if isinstance(event, VerifyReport)} == set(SCENARIOS)


@pytest.mark.parametrize("protocol", ["mcqa", "tools"])
def test_the_oracle_is_always_right(whole: Path, tmp_path: Path, protocol: str) -> None:
    episodes = played(whole, tmp_path, "baseline:oracle", protocol)
    wrong = [episode.key for episode in episodes if not episode.outcome.correct]
    assert episodes
    assert wrong == []


def test_who_never_asks_gets_nothing_right_in_rod(whole: Path, tmp_path: Path) -> None:
    episodes = played(whole, tmp_path, "baseline:never-ask", "tools")
    right = [e.outcome.correct for e in episodes if e.scenario == "rod"]
    assert right == [False] * 10


def test_every_sample_offers_the_four_categories_and_one_abstention(whole: Path) -> None:
    for scenario in SCENARIOS:
        for sample in DataFolder(whole).samples(scenario):
            assert len(set(sample.categories)) == 4
            assert len(sample.options) - len(sample.suggestions) == 1


def test_every_turn_of_a_built_sample_is_the_published_one(
    whole: Path,
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    data = tmp_path / "with_pack"
    data.mkdir()
    for entry in (whole / "test").iterdir():
        (data / entry.name).symlink_to(entry)
    write_pack(data, official_wheel)
    said = asyncio.run(improvise(data))
    ours = []
    for condition in CONDITIONS:
        ours += asyncio.run(run_ours(data, replay(data, said, condition), condition))
    published = run_published(reference_python, official_wheel, data, ours, said)
    assert len(ours) == len(published) == 60
    assert [d for o, p in zip(ours, published, strict=True) if (d := difference(o, p))] == []
    assert [p["crash"] for p in published if p["crash"]] == []
