"""The models inside the package: `local:nano` guesses where it sees nothing, `nano-asks` asks."""

from pathlib import Path

import pytest

from proactive_agent import evaluate
from proactive_agent.metrics import Rates
from proactive_agent.settings import ProtocolName

pytest.importorskip("transformers", reason="needs the extra `local`")
pytestmark = pytest.mark.local

SCENES = "fresh:11:seen:n=4"
"""Four scenes of each scenario. The model was not trained on this seed."""


def rates(model: str, protocol: ProtocolName, out: Path) -> tuple[Rates, Rates]:
    """Rates of a model, averaged over scenarios: on clear frames, and from ambiguous ones."""
    clear, ambiguous = (
        evaluate(
            model, protocol=protocol, condition=condition, data=SCENES, max_tokens=48,
            batch_size=28, out=out / condition,
        ).summary.macro
        for condition in ("clear", "zero-shot")
    )  # fmt: skip
    return clear, ambiguous


@pytest.mark.parametrize("protocol", ["mcqa", "tools"])
def test_nano_recognises_clear_frames_and_guesses_on_ambiguous_ones(
    protocol: ProtocolName, tmp_path: Path
) -> None:
    clear, ambiguous = rates("local:nano", protocol, tmp_path)
    assert clear.right_at_once.value is not None
    assert clear.right_at_once.value > 0.75
    assert ambiguous.asked_at_once.value is not None
    assert ambiguous.asked_at_once.value < 0.2
    assert ambiguous.informed.value == 0


def test_nano_asks_asks_where_it_sees_nothing_and_names_things_in_clear_frames(
    tmp_path: Path,
) -> None:
    clear, ambiguous = rates("local:nano-asks", "mcqa", tmp_path)
    assert clear.right_at_once.value is not None
    assert clear.right_at_once.value > 0.75
    assert clear.asked_at_once.value is not None
    assert clear.asked_at_once.value < 0.15
    assert ambiguous.asked_at_once.value is not None
    assert ambiguous.asked_at_once.value > 0.75
    assert ambiguous.acc.value is not None
    assert ambiguous.acc.value > 0.4
    assert ambiguous.informed.value
