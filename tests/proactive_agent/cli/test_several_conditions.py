"""Several conditions in one call of `run`, and settings that contradict each other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.cli.run import run as command
from proactive_agent.providers import (
    Provider,
    ProviderOptions,
    Reply,
    Request,
    StoppedError,
    create_provider,
)
from proactive_agent.providers.registry import REGISTERED
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.model_pool import ModelPool
from tests.proactive_agent.api_playing import invoke
from tests.proactive_agent.running import prepare_run


def settings_in(results: Path) -> list[dict[str, Any]]:
    files = sorted(results.glob("*/run.json"))
    return [json.loads(file.read_text())["settings"] for file in files]


def run(results: Path, *options: str) -> str:
    result = invoke("run", "--out", str(results), *options)
    assert result.exit_code == 0, result.output
    return result.stdout


class Counting(Provider):
    """The random baseline, which records every instance of itself."""

    made: list["Counting"] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.baseline = create_provider("baseline:random")
        self.asked_after_closing = self.closed = 0
        self.made.append(self)

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> "Counting":
        return cls()

    async def complete(self, request: Request) -> Reply:
        self.asked_after_closing += self.closed
        return await self.baseline.complete(request)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    monkeypatch.setattr(Counting, "made", [])
    monkeypatch.setitem(REGISTERED, "counting", Counting)
    return Counting


# One run per condition ---------------------------------------------------------------------------


def test_each_condition_of_each_model_is_a_run(tmp_path: Path) -> None:
    run(tmp_path, "--provider", "baseline:oracle", "--provider", "baseline:random",
        "--condition", "zero-shot,hint", "--condition", "hint+stateless", "--limit", "1",
        "--scenario", "rod")  # fmt: skip
    found = {(one["provider"], one["condition"]) for one in settings_in(tmp_path)}
    conditions = ("zero-shot", "hint", "hint+stateless")
    assert found == {(f"baseline:{m}", c) for m in ("oracle", "random") for c in conditions}
    assert len(list(tmp_path.iterdir())) == 6


def test_a_condition_named_twice_is_played_once(tmp_path: Path) -> None:
    run(tmp_path, "--provider", "baseline:oracle", "--condition", "hint,hint", "--limit", "1")
    assert len(list(tmp_path.iterdir())) == 1


def test_conditions_of_one_model_stand_side_by_side(tmp_path: Path) -> None:
    lines = run(tmp_path, "--provider", "baseline:oracle", "--condition", "zero-shot,stateless",
                "--scenario", "rod", "--limit", "1").splitlines()  # fmt: skip
    assert "acc %: oracle" in lines
    table = lines[lines.index("acc %: oracle") :]
    for name in ("tools, zero-shot", "tools, stateless"):
        assert sum(line.strip().startswith(name) for line in table) == 3, "acc, informed, psr"


def test_models_stand_below_each_condition(tmp_path: Path) -> None:
    models = ("--provider", "baseline:oracle", "--provider", "baseline:never-ask")
    output = run(tmp_path, *models, "--condition", "zero-shot,hint", "--scenario", "rod",
                 "--limit", "1")  # fmt: skip
    accuracy = output[: output.index("informed")].split()
    named = [word for word in accuracy if word in {"zero-shot", "hint", "oracle", "never-ask"}]
    assert named == ["zero-shot", "oracle", "never-ask", "hint", "oracle", "never-ask"]


def test_a_model_is_made_once_and_closed_after_its_last_run(
    counting: type[Counting], tmp_path: Path
) -> None:
    run(tmp_path, "--provider", "counting:x", "--condition", "zero-shot,hint,stateless",
        "--limit", "1", "--scenario", "rod")  # fmt: skip
    (model,) = counting.made
    assert (model.closed, model.asked_after_closing) == (1, 0)


def test_a_model_is_gone_before_the_next_one_comes(
    counting: type[Counting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_before = []

    def create(model: str, options: ProviderOptions) -> Counting:
        closed_before.append([one.closed for one in counting.made])
        return Counting()

    monkeypatch.setattr(counting, "create", create)
    run(tmp_path, "--provider", "counting:a", "--provider", "counting:b",
        "--condition", "zero-shot,hint", "--limit", "1", "--scenario", "rod")  # fmt: skip
    assert closed_before == [[], [1]]


def test_a_model_that_is_stopped_is_gone_before_the_next_one_comes(
    counting: type[Counting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_before = []

    async def leave(self: Counting, request: Request) -> Reply:
        closed_before.append([one.closed for one in counting.made])
        raise StoppedError("enough for today")

    monkeypatch.setattr(counting, "complete", leave)
    result = invoke("run", "--out", str(tmp_path), "--provider", "counting:a", "--provider",
                    "counting:b", "--condition", "zero-shot,hint", "--scenario", "rod",
                    "--limit", "1", "--concurrency", "1")  # fmt: skip
    assert result.exit_code == 1
    assert closed_before == [[0], [1, 0]]
    assert result.stderr.count("enough for today; continue with: --resume") == 2
    assert "not started: counting:a hint, counting:b hint" in result.stderr


def test_a_run_by_itself_closes_its_model(counting: type[Counting], tmp_path: Path) -> None:
    run(tmp_path, "--provider", "counting:x", "--limit", "1", "--scenario", "rod")
    assert [model.closed for model in counting.made] == [1]


def test_data_are_opened_once_for_all(tmp_path: Path) -> None:
    pool = ModelPool()
    plays = [
        prepare_run(
            Settings(provider=provider, scenarios=("rod",), condition=condition),
            tmp_path,
            pool=pool,
        ).play
        for provider in ("baseline:oracle", "baseline:random")
        for condition in ("zero-shot", "hint")
    ]
    assert len({id(play.data.images) for play in plays}) == 1
    assert len({id(play.provider) for play in plays}) == 2


# Scenarios of a condition ------------------------------------------------------------------------


def test_a_condition_plays_the_scenarios_that_it_is_known_for(tmp_path: Path) -> None:
    run(tmp_path, "--provider", "baseline:oracle", "--condition", "zero-shot,icl:1", "--limit", "1")
    played = {one["condition"]: one["scenarios"] for one in settings_in(tmp_path)}
    assert played["icl:1"] == ["rod", "mvp-n"]
    assert len(played["zero-shot"]) == 7


def test_another_scenario_is_refused_for_it(tmp_path: Path) -> None:
    result = invoke(
        "run", "--out", str(tmp_path), "--condition", "hint,icl:1", "--scenario", "coco"
    )
    assert result.exit_code == 2
    assert "condition 'icl:1' is defined for rod, mvp-n, not for coco" in result.stderr
    assert list(tmp_path.iterdir()) == []


# Contradictions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--history-size", "100"], "--history-size needs condition history"),
        (
            ["--condition", "hint,reference", "--icl-reasoning"],
            "--icl-reasoning needs condition icl:",
        ),
        (["--judge", "rules"], "--judge needs protocol oeg"),
        (["--multi-turn", "--protocol", "mcqa"], "--multi-turn needs protocol oeg"),
        (["--protocol", "oeg", "--judge-prompt", "own"], "--judge-prompt needs protocol oeg and a"),
        (["--protocol", "mcqa", "--toolset", "all"], "--toolset needs protocol tools"),
        (["--parser", "lenient"], "--parser needs protocol mcqa"),
        (["--condition", "zero-shot,stateless", "--protocol", "mcqa"], "'stateless' with 'mcqa'"),
        (["--condition", "hint,reference+hint"], "'reference' with 'hint'"),
        (["--plan", "x.yaml", "--seed", "1", "--limit", "2"], "drop --limit, --seed"),
        (["--repeats", "0"], "--repeats"),
    ],
)
def test_settings_that_contradict_are_refused_before_anything_starts(
    options: list[str], message: str, tmp_path: Path
) -> None:
    result = invoke("run", "--out", str(tmp_path), *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_one_of_the_conditions_uses_is_let_pass(tmp_path: Path) -> None:
    run(tmp_path, "--provider", "baseline:oracle", "--protocol", "mcqa", "--scenario", "rod",
        "--condition", "zero-shot,history", "--history-size", "100", "--limit", "1")  # fmt: skip
    sizes = {}
    for file in tmp_path.glob("*/run.json"):
        folder = RunFolder(file.parent)
        (episode,) = folder.episodes()
        sizes[folder.read_manifest().settings.condition] = episode.turns[0].image.size
    assert sizes["history"] is not None
    assert min(sizes["history"]) == 100
    assert sizes["zero-shot"] != sizes["history"]


# Resuming ----------------------------------------------------------------------------------------


def test_several_runs_are_resumed_together(counting: type[Counting], tmp_path: Path) -> None:
    run(tmp_path, "--provider", "counting:x", "--condition", "zero-shot,hint", "--scenario", "rod",
        "--limit", "2")  # fmt: skip
    folders = sorted(tmp_path.iterdir())
    for folder in folders:
        file = folder / "episodes.jsonl"
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:1]))
    counting.made.clear()
    resumed = [text for folder in folders for text in ("--resume", str(folder))]
    assert "zero-shot" in run(tmp_path, *resumed)
    assert [len(list(RunFolder(folder).episodes())) for folder in folders] == [2, 2]
    assert len(counting.made) == 1


def test_a_run_that_is_finished_needs_no_model(counting: type[Counting], tmp_path: Path) -> None:
    run(tmp_path, "--provider", "counting:x", "--scenario", "rod", "--limit", "2")
    (folder,) = tmp_path.iterdir()
    before = (folder / "episodes.jsonl").read_bytes()
    counting.made.clear()
    output = run(tmp_path, "--resume", str(folder))
    assert "rod" in output
    assert counting.made == []
    assert (folder / "episodes.jsonl").read_bytes() == before


def test_help_lists_every_option_below_a_heading() -> None:
    output = invoke("run", "--help-all").stdout
    for heading in ("What is played:", "How it is played:", "The model:", "Models behind an API:"):
        assert f"\n{heading}\n" in output
    listed = re.findall(r"^  (?:-[hv], )?(--[a-z-]+)", output, re.MULTILINE)
    every = [option.opts[-1] for option in command.params] + ["--help", "--help-all"]
    assert sorted(listed) == sorted(every)
