"""The data set that GRPO gets from rows."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

import datasets
import transformers

from proactive_agent.play.protocols import Mcqa
from proactive_agent.providers.local.chat import Chat
from proactive_agent.scenarios.wording import OWN
from proactive_agent.training.grpo import prompts_of
from proactive_agent.training.rows import Split, read_split
from tests.proactive_agent.training.material import small_split
from tests.providers import tiny_models

pytestmark = pytest.mark.local


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return read_split(str(small_split(tmp_path, 6)))


def prompts(split: Split) -> Any:
    rows = [split.rows[index] for index in (4, 1)]
    processor = transformers.AutoProcessor.from_pretrained(tiny_models.folder("smolvlm"))
    chat = Chat(processor, processor.chat_template)
    return prompts_of(split.pictures, rows, Mcqa("official"), chat, [OWN])


def test_each_row_has_its_own_picture(split: Split) -> None:
    found = prompts(split)
    assert found["row"] == [4, 1]
    for index, (picture,) in zip((4, 1), found["images"], strict=True):
        (own,) = split.pictures_of(split.rows[index])
        assert picture.mode == "RGB"
        assert picture.tobytes() == own.tobytes()


def test_a_picture_is_decoded_once_for_all_replies_to_its_prompt(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = datasets.Image.decode_example

    def counted(self: Any, value: Any, **more: Any) -> Any:
        decoded.append(value)
        return decode(self, value, **more)

    monkeypatch.setattr(datasets.Image, "decode_example", counted)
    found = prompts(split)
    asked = [found[index] for index in (0, 0, 0, 1, 1, 1)]
    assert [one["row"] for one in asked] == [4, 4, 4, 1, 1, 1]
    assert len(decoded) == 2
