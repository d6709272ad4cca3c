"""Samples that are played several times (`--repeats`)."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.providers.registry import REGISTERED
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.prepare import samples_to_play
from proactive_agent.scenarios import DataFolder
from tests.proactive_agent.api_playing import invoke
from tests.proactive_agent.running import play_new as play
from tests.proactive_agent.running import play_run, prepare_resume, prepare_run
from tests.proactive_agent.scripted import sample_of, write_lines
from tests.proactive_agent.slow_program import Slow


def settings(provider: str = "baseline:random", **more: Any) -> Settings:
    return Settings(provider=provider, **{"scenarios": ("rod", "coco"), "limit": 2, **more})


def replies(folder: RunFolder) -> dict[Any, Any]:
    return {e.key: [turn.reply for turn in e.turns] for e in folder.episodes()}


def test_each_sample_is_played_so_often(tmp_path: Path) -> None:
    prepared = prepare_run(settings(repeats=3), tmp_path)
    play_run(prepared)
    keys = Counter(episode.key for episode in prepared.folder.episodes())
    assert set(keys) == {(s, i, r) for s in ("rod", "coco") for i in (0, 1) for r in (0, 1, 2)}
    assert keys.total() == prepared.total == 12


def test_the_first_repetition_is_the_run_without_repeats(tmp_path: Path) -> None:
    once = replies(play(settings(), tmp_path))
    thrice = replies(play(settings(repeats=3), tmp_path))
    assert {key: said for key, said in thrice.items() if key.repeat == 0} == once


def test_repetitions_are_drawn_apart(tmp_path: Path) -> None:
    said = replies(play(settings(repeats=3, limit=None), tmp_path))
    firsts = {(key.scenario, key.sample_id): replies[0] for key, replies in said.items()}
    differing = [k for k, replies in said.items() if replies[0] != firsts[k.scenario, k.sample_id]]
    assert len(differing) > len(firsts) / 2


def test_resume_plays_the_repetitions_that_are_missing(tmp_path: Path) -> None:
    folder = play(settings(repeats=3), tmp_path)
    whole = replies(folder)
    lines = folder.episodes_file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["repeat"] != 1]
    folder.episodes_file.write_text("".join(kept))
    play_run(prepare_resume(folder))
    assert replies(folder) == whole
    assert len(folder.episodes_file.read_text().splitlines()) == 12


def test_records_of_before_there_were_repeats_go_on(tmp_path: Path) -> None:
    folder = play(settings(), tmp_path)
    before = folder.episodes_file.read_text()
    lines = [json.loads(line) for line in before.splitlines()]
    write_lines(folder.episodes_file, [_as_once(line) for line in lines[1:]])
    manifest = json.loads(folder.manifest_file.read_text())
    new = ("repeats", "history_size", "icl_reasoning", "multi_turn", "judge", "judge_prompt")
    manifest["settings"] = {k: v for k, v in manifest["settings"].items() if k not in new}
    folder.manifest_file.write_text(json.dumps(manifest))
    resumed = prepare_resume(folder)
    assert [(e.scenario, e.sample.id) for e in resumed.episodes_left()] == [
        (lines[0]["scenario"], lines[0]["sample_id"])
    ]
    play_run(resumed)
    assert len(list(folder.episodes())) == 4


def _as_once(line: dict[str, Any]) -> dict[str, Any]:
    """Returns an episode in the format of the first version."""
    return {key: value for key, value in line.items() if key not in ("repeat", "fewest")}


# Replays ---------------------------------------------------------------------------------------


def test_a_run_with_repeats_replays_exactly(tmp_path: Path) -> None:
    first = play(settings(repeats=3), tmp_path)
    again = play(settings(f"replay:{first.episodes_file}", repeats=3), tmp_path)
    outcomes = [{e.key: (e.outcome, e.answer) for e in f.episodes()} for f in (first, again)]
    assert outcomes[0] == outcomes[1]
    assert {e.error for e in again.episodes()} == {None}


def test_plain_replies_serve_every_repetition(tmp_path: Path) -> None:
    line = {"scenario": "rod", "sample_id": 0, "replies": ["one"]}
    own = {"scenario": "rod", "sample_id": 0, "repeat": 1, "replies": ["two"]}
    file = write_lines(tmp_path / "replies.jsonl", [own, line])
    folder = play(
        settings(f"replay:{file}", protocol="mcqa", scenarios=("rod",), limit=1, repeats=3),
        tmp_path,
    )
    said = {e.repeat: e.turns[0].reply.text for e in folder.episodes()}
    assert said == {0: "one", 1: "two", 2: "one"}


def test_a_repetition_that_is_not_there_is_named(tmp_path: Path) -> None:
    line = {"scenario": "rod", "sample_id": 0, "repeat": 0, "replies": [sample_of("rod").answer]}
    file = write_lines(tmp_path / "replies.jsonl", [line])
    folder = play(settings(f"replay:{file}", scenarios=("rod",), limit=1, repeats=2), tmp_path)
    errors = {e.repeat: e.error.message for e in folder.episodes() if e.error}
    assert list(errors) == [1]
    assert "no replies for this sample in repetition 1" in errors[1]


# The command -----------------------------------------------------------------------------------


def test_a_dry_run_multiplies(tmp_path: Path) -> None:
    def requests(*options: str) -> list[int]:
        result = invoke(
            "run", "--dry-run", "--provider", "baseline:random", "--limit", "2", *options
        )
        assert result.exit_code == 0, result.output
        (line,) = (one for one in result.stdout.splitlines() if one.startswith("in all"))
        return [int(w) for w in line.replace(",", "").replace(";", "").split() if w.isdigit()]

    once = requests()
    assert len(once) == 3
    assert requests("--repeats", "3") == [3 * count for count in once]
    assert requests("--condition", "zero-shot,hint") == [2 * count for count in once]


@pytest.mark.parametrize(
    ("provider", "temperature", "warned"),
    [("warm:x", "0", True), ("warm:x", "1", False), ("baseline:random", "0", False)],
)
def test_repeats_without_temperature_are_warned_of(
    provider: str, temperature: str, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGISTERED, "warm", lambda model, options: Slow())
    result = invoke("run", "--out", str(tmp_path), "--provider", provider, "--repeats", "2",
                    "--scenario", "rod", "--limit", "1", "--temperature", temperature)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert ("2 repeats at temperature 0" in result.stderr) == warned


# Which samples ---------------------------------------------------------------------------------


def test_open_ended_questions_are_the_first_of_the_shuffled_samples(tmp_path: Path) -> None:
    data = DataFolder()
    order = [sample.id for sample in data.samples("quickdraw")]
    random.seed(0)  # The published program draws samples this way.
    random.shuffle(order)
    oeg = Settings(provider="baseline:random", scenarios=("quickdraw",), protocol="oeg")
    chosen = [sample.id for sample in samples_to_play(oeg, data, "quickdraw")]
    assert chosen == order[:100]
    few = replace(oeg, limit=3)
    assert [sample.id for sample in samples_to_play(few, data, "quickdraw")] == order[:3]


def test_open_ended_questions_are_a_hundred(tmp_path: Path) -> None:
    from proactive_agent.scenarios.dataset import EMBEDDED

    name = "QuickDraw_preprocessed.jsonl"
    line = json.loads((EMBEDDED / name).read_text().splitlines()[0])
    write_lines(tmp_path / name, [line | {"id": index} for index in range(130)])
    data = DataFolder(tmp_path)
    oeg = Settings(provider="baseline:random", scenarios=("quickdraw",), protocol="oeg")
    chosen = [sample.id for sample in samples_to_play(oeg, data, "quickdraw")]
    assert len(set(chosen)) == len(chosen) == 100
    assert max(chosen, key=int) > 100
    tools = replace(oeg, protocol="tools")
    assert len(list(samples_to_play(tools, data, "quickdraw"))) == 130
