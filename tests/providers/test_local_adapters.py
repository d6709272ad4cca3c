"""Adapter folders: their base models, and faulty folders."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from proactive_agent.providers.local.adapters import base_of
from proactive_agent.providers.local.model_folder import training_in
from proactive_agent.tools import UserError

pytestmark = pytest.mark.local


def adapter(folder: Path, **fields: Any) -> Path:
    (folder / "adapter_config.json").write_text(json.dumps(fields))
    return folder


def test_the_model_below_an_adapter_is_a_folder_or_a_hub_id(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    own = adapter(tmp_path, base_model_name_or_path=str(tmp_path / "base"))
    base = base_of(own)
    assert base is not None
    assert (base.source.folder, base.revision) == (tmp_path / "base", None)
    base = base_of(adapter(tmp_path, base_model_name_or_path="owner/name", revision="v2"))
    assert base is not None
    assert (base.source.location, base.source.folder, base.revision) == ("owner/name", None, "v2")


def test_a_whole_model_has_nothing_below(tmp_path: Path) -> None:
    assert base_of(tmp_path) is None
    adapter(tmp_path, base_model_name_or_path="owner/name")
    (tmp_path / "config.json").write_text("{}")
    assert base_of(tmp_path) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "does not name the adapter's base model"),
        (
            {"base_model_name_or_path": None},
            "does not name the adapter's base model: None, revision None",
        ),
        ({"base_model_name_or_path": "/gone/away"}, "base model was not found: /gone/away"),
    ],
)
def test_an_adapter_without_its_model_is_refused(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        base_of(adapter(tmp_path, **fields))


def test_a_folder_tells_of_its_training(tmp_path: Path) -> None:
    assert training_in(tmp_path) is None
    (tmp_path / "train.json").write_text("[]")
    assert training_in(tmp_path) is None
    written = {
        "model": {"name": "owner/name"},
        "settings": {"method": "grpo", "reward_suggestion": 0.5},
        "data": {"train": {"coco": {}}},
    }
    (tmp_path / "train.json").write_text(json.dumps(written))
    assert training_in(tmp_path) == {
        "model": "owner/name",
        "method": "grpo",
        "reward_suggestion": 0.5,
        "scenarios": ["coco"],
    }
