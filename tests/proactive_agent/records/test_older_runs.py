"""Runs of older versions are shown and resumed with the settings that they had."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.play.simulated_user import VERSION
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_new, play_run

Fields = dict[str, Any]


def older(folder: RunFolder, *lacking: str, **changes: Any) -> RunFolder:
    """Writes the settings of `run.json` as a version before the settings `lacking`."""
    fields = json.loads(folder.manifest_file.read_text())
    settings = {name: v for name, v in fields["settings"].items() if name not in lacking}
    fields["settings"] = settings | changes
    folder.manifest_file.write_text(json.dumps(fields))
    return folder


def contents(folder: RunFolder) -> list[Fields]:
    """Returns the episodes without times, sorted by sample."""
    skipped = {"usage", "turns"}
    found = [e.model_dump(exclude=skipped) | {"turns": len(e.turns)} for e in folder.episodes()]
    return sorted(found, key=lambda e: e["sample_id"])


def refusal_of(folder: RunFolder) -> str:
    with pytest.raises(UserError) as caught:
        play_run(PlannedRun.resumed(folder))
    return str(caught.value)


def dry_run(folder: RunFolder) -> str:
    """Returns what `run --resume --dry-run` prints."""
    result = CliRunner().invoke(cli, ["run", "--resume", str(folder.path), "--dry-run"])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("condition", ["icl:1", "hint+icl:3"])
def test_solved_examples_were_reduced_before_there_was_a_setting(
    tmp_path: Path, condition: str
) -> None:
    settings = Settings(
        provider="baseline:oracle", scenarios=("mvp-n",), protocol="mcqa", condition=condition,
        limit=3, icl_reduced=True,
    )  # fmt: skip
    folder = older(play_new(settings, tmp_path), "icl_reduced")
    assert folder.read_manifest().settings == settings


def test_a_run_without_solved_examples_is_not_reduced(tmp_path: Path) -> None:
    settings = Settings(provider="baseline:oracle", scenarios=("rod",), limit=1)
    folder = older(play_new(settings, tmp_path), "icl_reduced")
    assert folder.read_manifest().settings == settings


def test_a_resumed_run_keeps_the_form_of_its_examples(tmp_path: Path) -> None:
    settings = Settings(
        provider="baseline:oracle", scenarios=("rod",), condition="icl:1", limit=3,
        icl_reduced=True,
    )  # fmt: skip
    folder = older(play_new(settings, tmp_path), "icl_reduced")
    whole = contents(folder)
    first = folder.episodes_file.read_text().splitlines(keepends=True)[0]
    folder.episodes_file.write_text(first)
    resumed = play_run(PlannedRun.resumed(folder)).folder
    assert contents(resumed) == whole
    assert resumed.read_manifest().settings.icl_reduced


def test_random_suggestions_ended_the_episode(tmp_path: Path) -> None:
    settings = Settings(
        provider="baseline:always-ask", scenarios=("rod",), protocol="mcqa", limit=3,
        condition="hint+useless-suggestions",
    )  # fmt: skip
    folder = play_new(settings, tmp_path)
    whole = contents(folder)
    older(folder, "icl_reduced", condition="hint+random-suggestions")
    first = folder.episodes_file.read_text().splitlines(keepends=True)[0]
    folder.episodes_file.write_text(first)
    resumed = play_run(PlannedRun.resumed(folder)).folder
    assert contents(resumed) == whole
    assert resumed.read_manifest().settings == settings


@pytest.mark.parametrize("rules", [None, "rules v2"])
def test_a_run_is_not_resumed_with_other_rules_of_the_simulated_user(
    tmp_path: Path, rules: str | None
) -> None:
    folder = play_new(Settings(provider="baseline:oracle", scenarios=("rod",), limit=2), tmp_path)
    assert folder.read_manifest().user_rules == VERSION
    fields = json.loads(folder.manifest_file.read_text())
    folder.manifest_file.write_text(json.dumps(fields | {"user_rules": rules}))
    play_run(PlannedRun.resumed(folder))  # It is complete, so there is nothing to mix.
    first = folder.episodes_file.read_text().splitlines(keepends=True)[0]
    folder.episodes_file.write_text(first)
    with pytest.raises(UserError, match="started with other rules of the simulated user"):
        play_run(PlannedRun.resumed(folder))
    assert folder.episodes_file.read_text() == first
    assert "refused: " + refusal_of(folder) in dry_run(folder)


def test_a_run_is_not_resumed_with_a_judge_of_another_name(tmp_path: Path) -> None:
    """Sampling was not part of a judge's name, and the judge by rules had other versions."""
    settings = Settings(provider="baseline:never-ask", scenarios=("vsod",), protocol="oeg", limit=2)
    folder = play_new(settings, tmp_path)
    first = folder.episodes_file.read_text().splitlines(keepends=True)[0]
    assert first.count('"judge":"rules v2"') == 1
    folder.episodes_file.write_text(first.replace('"judge":"rules v2"', '"judge":"rules v1"'))
    assert "started with another judge (rules v1; now: rules v2)" in refusal_of(folder)
    assert "refused: " + refusal_of(folder) in dry_run(folder)
    folder.episodes_file.write_text(first)
    assert "refused" not in dry_run(folder)
    play_run(PlannedRun.resumed(folder))


@pytest.mark.parametrize(
    "settings", [{"protocol": "mcqa"}, {"toolset": "published"}, {"toolset": "random"}]
)
def test_rules_that_read_nothing_do_not_concern_a_run(tmp_path: Path, settings: Fields) -> None:
    folder = play_new(
        Settings(provider="baseline:oracle", scenarios=("rod",), limit=1, **settings), tmp_path
    )
    assert folder.read_manifest().user_rules is None
