"""Compares the embedded suite with the published package, turn by turn."""

import shutil
from pathlib import Path

from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.scenarios.protocol_pack import write_pack
from tests.parity.test_parity import (
    check_every_turn,
    reference_python,  # noqa: F401  # a fixture
)


def test_every_turn_of_the_embedded_suite_is_the_published_one(
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    for file in EMBEDDED.glob("*.jsonl"):
        shutil.copy(file, tmp_path)
    write_pack(tmp_path, official_wheel)
    check_every_turn(tmp_path, official_wheel, reference_python)
