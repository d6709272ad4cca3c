"""Compares generated scenes with the published package, turn by turn."""

from pathlib import Path

from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.fresh.catalogue import line_of
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.protocol_pack import write_pack
from tests.parity.test_parity import (
    check_every_turn,
    reference_python,  # noqa: F401  # a fixture
)

DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "normal", "hard")
EACH = 12


def test_every_turn_of_generated_scenes_is_the_published_one(
    official_wheel: Path,
    reference_python: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    for scenario, environment in SCENARIOS.items():
        lines = b""
        for number, difficulty in enumerate(DIFFICULTIES):
            data = FreshData(FreshSource(1, difficulty, samples=EACH * len(DIFFICULTIES)))
            for index in range(EACH * number, EACH * (number + 1)):
                lines += line_of(data.scene(scenario, index))
        (tmp_path / f"{environment.stem}_preprocessed.jsonl").write_bytes(lines)
    write_pack(tmp_path, official_wheel)
    check_every_turn(tmp_path, official_wheel, reference_python)
