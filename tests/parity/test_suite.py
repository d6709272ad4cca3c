"""Compares the embedded suite with the published package, turn by turn."""

import asyncio
import shutil
from pathlib import Path

from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.scenarios.protocol_pack import write_pack
from tests.parity.test_parity import (
    CONDITIONS,
    difference,
    improvise,
    reference_python,  # noqa: F401  # a fixture
    replay,
    run_ours,
    run_published,
)


def test_every_turn_of_the_embedded_suite_is_the_published_one(
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    for file in EMBEDDED.glob("*.jsonl"):
        shutil.copy(file, tmp_path)
    write_pack(tmp_path, official_wheel)
    said = asyncio.run(improvise(tmp_path))
    ours = [
        episode
        for condition in CONDITIONS
        for episode in asyncio.run(run_ours(tmp_path, replay(tmp_path, said, condition), condition))
    ]
    published = run_published(reference_python, official_wheel, tmp_path, ours, said)
    assert len(ours) == len(said)
    assert [p["crash"] for p in published] == [None] * len(ours)
    assert [difference(o, p) for o, p in zip(ours, published, strict=True)] == [None] * len(ours)
