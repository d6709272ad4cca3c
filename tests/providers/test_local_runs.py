"""Whole runs with tiny models."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")

from proactive_agent.cli.app import cli
from tests.providers import tiny_models

pytestmark = pytest.mark.local


def run(
    results: Path, kind: str | Path, *options: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The manifest and the episodes of a short run."""
    model = kind if isinstance(kind, Path) else tiny_models.folder(kind)
    command = ["run", "--provider", f"local:{model}", "--out", str(results)]
    short = ["--limit", "2", "--max-tokens", "12"]
    result = CliRunner().invoke(cli, [*command, *short, *options])
    assert result.exit_code == 0, result.output
    (folder,) = results.iterdir()
    lines = (folder / "episodes.jsonl").read_text().splitlines()
    return json.loads((folder / "run.json").read_text()), [json.loads(line) for line in lines]


def test_the_record_says_how_tools_were_offered(tmp_path: Path) -> None:
    for kind, way in (("idefics2", "text"), (tiny_models.NATIVE_TOOLS, "native")):
        manifest, episodes = run(tmp_path / kind, kind, "--scenario", "rod")
        assert manifest["provider"]["tool_format"] == way
        assert {turn["reply"]["tool_format"] for e in episodes for turn in e["turns"]} == {way}


def test_the_record_says_how_much_room_the_context_left_for_thinking(tmp_path: Path) -> None:
    model = shutil.copytree(tiny_models.folder("qwen3_vl"), tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    config["text_config"]["max_position_embeddings"] = 800
    (model / "config.json").write_text(json.dumps(config))
    options = ("--template-options", '{"enable_thinking": true}', "--protocol", "mcqa")
    manifest, episodes = run(tmp_path / "runs", model, *options, "--scenario", "rod")
    provider = manifest["provider"]
    assert (provider["default_thinking_room"], provider["context_tokens"]) == (8192, 800)
    turns = [turn for episode in episodes for turn in episode["turns"]]
    rooms = [turn["reply"]["thinking_room"] for turn in turns]
    assert rooms == [max(0, 800 - 12 - turn["usage"]["input_tokens"]) for turn in turns]
    assert 0 < min(rooms) < 800
    assert manifest["thinking_room"] == [min(rooms), max(rooms)]


def test_the_batch_size_does_not_change_what_is_said(tmp_path: Path) -> None:
    def said(size: str) -> dict[tuple[str, int], list[str]]:
        _, episodes = run(tmp_path / size, "idefics2", "--batch-size", size)
        return {
            (e["scenario"], e["sample_id"]): [turn["reply"]["text"] for turn in e["turns"]]
            for e in episodes
        }

    assert said("1") == said("8")


def test_the_weights_are_loaded_once_for_several_conditions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proactive_agent.providers.local import loading

    loaded = []
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda *args: loaded.append(args) or load(*args))
    command = ["run", "--provider", f"local:{tiny_models.folder('idefics2')}", "--limit", "1"]
    command += ["--scenario", "rod", "--max-tokens", "4", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli, [*command, "--condition", "zero-shot,hint,stateless"])
    assert result.exit_code == 0, result.output
    assert len(loaded) == 1
    for folder in tmp_path.iterdir():
        lines = (folder / "episodes.jsonl").read_text().splitlines()
        assert [json.loads(line)["error"] for line in lines] == [None]
    assert len(list(tmp_path.iterdir())) == 3
