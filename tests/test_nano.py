"""`benchmarks/nano`: the whole training at a tiny scale, and the promises of its parts."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="needs the extra `local`")

import torch

from benchmarks.nano import stages
from benchmarks.nano.__main__ import begin
from benchmarks.nano.examples import ExampleMaker, Habit
from benchmarks.nano.model import MARK, tokens_per_picture
from benchmarks.nano.outcome import NanoFigures
from benchmarks.nano.scenes import (
    TRAINING_SEEDS,
    KeptTurn,
    SceneSet,
    SceneWalk,
    TrainingPrompt,
    collect,
)
from benchmarks.nano.stages import Stage, run_stage
from proactive_agent import Game, evaluate
from proactive_agent.providers import ProviderOptions
from proactive_agent.providers.local.provider import Local

pytestmark = pytest.mark.local

ROOT = Path(__file__).parents[1]
SIZE, SIDE = 96, 64


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs the whole command and returns its folder."""
    folder = tmp_path_factory.mktemp("nano")
    command = [sys.executable, "-m", "benchmarks.nano", "--work", str(folder), "--cores", "1"]
    command += ["--scale", "0.0001", "--side", str(SIDE), "--frame-size", str(SIZE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def scenes(work: Path) -> SceneSet:
    """Returns the training scenes, which are on disk."""
    return collect(work / "scenes", TRAINING_SEEDS, 1, size=SIZE, side=SIDE, cores=1)


@pytest.fixture
def model(work: Path) -> Any:
    """Returns the trained model as the provider `local` loads it."""
    return Local.create(str(work / "model"), ProviderOptions())


@pytest.mark.parametrize("protocol", ["mcqa", "tools"])
def test_the_trained_model_plays(work: Path, tmp_path: Path, protocol: Any) -> None:
    found = evaluate(
        f"local:{work / 'model'}",
        protocol=protocol,
        scenarios="rod",
        limit=1,
        max_tokens=32,
        out=tmp_path / "run",
    )
    (episode,) = found.episodes()
    assert (episode.error, len(episode.turns) > 0) == (None, True)


def test_the_model_is_small_and_its_card_has_all_runs(work: Path) -> None:
    figures = NanoFigures.model_validate_json((work / "figures.json").read_text())
    assert figures.megabytes < 8
    assert len({(run.data, run.protocol, run.condition) for run in figures.runs}) == 24
    card = (work / "model" / "README.md").read_text()
    assert all(f"| {r.data} | `{r.protocol}` | {r.condition} |" in card for r in figures.runs)


def test_another_recipe_needs_another_folder(work: Path) -> None:
    recipe = json.loads((work / "recipe.json").read_text())
    begin(work, recipe)
    with pytest.raises(SystemExit, match="name another --work"):
        begin(work, recipe | {"seed": 1})


def test_training_has_the_tokens_and_pixels_of_a_run(scenes: SceneSet, model: Any) -> None:
    data = f"fresh:{TRAINING_SEEDS[0]}:seen:n=1:px={SIZE}"
    game = Game(scenarios="rod", protocol="tools", data=data)
    walk = next(walk for walk in scenes.walks if walk.scenario == "rod")
    first, second = walk.turns[0].tools, walk.turns[1].tools
    assert first is not None
    assert second is not None
    assert first.ask
    game.reset("rod", 0)
    request = game.step(model.chat.reply(first.ask, tools=True))
    game.close()
    prompt = model.chat.prompt(request)
    processor = model.chat.processor
    inputs = processor(text=[prompt.text], images=[prompt.images], return_tensors="pt")
    expanded = second.text.replace(MARK, MARK * tokens_per_picture(SIDE))
    assert processor.tokenizer(expanded)["input_ids"] == inputs["input_ids"][0].tolist()
    rows = scenes.pictures[walk.first_picture : walk.first_picture + 2]
    stored = torch.from_numpy(rows).permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.allclose(stored, inputs["pixel_values"], atol=1 / 127)


def test_a_training_prompt_has_the_reply_to_every_category(scenes: SceneSet) -> None:
    for walk in scenes.walks:
        for turn in walk.turns:
            assert turn.mcqa.answers == {name: name for name in walk.categories}
            assert (turn.mcqa.ask is None) == (turn is walk.turns[-1])


def test_an_option_that_asks_is_written_out_or_chosen_by_its_letter() -> None:
    prompt = TrainingPrompt("Which?\nA. Cat.\nB. Move it.\nAnswer.", {"Cat.": "Cat."}, "Move it.")
    walk = SceneWalk("rod", "Cat.", [KeptTurn(0, 0.0, False, prompt, prompt)], 0)
    for letters, ask in ((False, "Move it."), (True, "B.")):
        habit = Habit(blind=1, asks=1, letters=letters)
        assert ExampleMaker([walk]).drawn({"mcqa": 1}, random.Random(0), habit).reply == ask
    assert TrainingPrompt("Which?", {}, "call()").short_ask == "call()"


def walk_of(name: str, *, enough: bool) -> SceneWalk:
    names = ("Cat.", "Dog.", "Hen.", "Cow.")
    prompt = TrainingPrompt("Which?", {one: one for one in names}, None if enough else "Move it.")
    return SceneWalk("rod", name, [KeptTurn(0, float(enough), enough, prompt, prompt)], 0)


def test_the_second_round_asks_where_a_frame_shows_only_a_part() -> None:
    names = ("Cat.", "Dog.", "Hen.", "Cow.")
    options = "".join(f"{letter}. {name}\n" for letter, name in zip("BCDE", names, strict=True))

    def turn(number: int, visible: float, ask: str | None) -> KeptTurn:
        prompt = TrainingPrompt(f"Which?\nA. {ask}\n{options}", {name: name for name in names}, ask)
        return KeptTurn(number, visible, visible >= 0.5, prompt, None)

    turns = [turn(0, 0.0, "Left."), turn(1, 0.6, "Right."), turn(2, 1.0, None)]
    maker = ExampleMaker([SceneWalk("rod", "Cat.", turns, 0)], partial=True)
    habit = Habit(blind=0.5, asks=1, letters=True, partial=True)
    rng = random.Random(0)
    examples = [maker.drawn({"mcqa": 1}, rng, habit) for _ in range(200)]
    asked = {(one.pictures, "Left." in one.prompt) for one in examples if one.reply == "A."}
    assert asked == {((0,), True), ((1,), False)}
    assert {one.pictures for one in examples if one.reply == "Cat."} == {(2,)}
    assert {one.reply for one in examples} == {"A.", "Cat."}


def test_clear_frames_of_crops_are_collected(tmp_path: Path) -> None:
    found = collect(
        tmp_path, TRAINING_SEEDS, 2, size=448, side=SIDE, cores=1,
        scenarios=["coco"], condition="clear",
    )  # fmt: skip
    assert found.walks
    assert len(found.walks) == len(found.pictures)
    for walk in found.walks:
        (turn,) = walk.turns
        assert (turn.visible, turn.enough, walk.named(turn)) == (1, True, True)


@pytest.mark.parametrize("kind", ["mcqa", "tools"])
def test_clear_frames_are_named_and_blind_ones_guessed(kind: str) -> None:
    maker, rng = ExampleMaker([walk_of("Cat.", enough=False)]), random.Random(0)
    maker.clear = maker.blind
    replies = [maker.drawn({kind: 1}, rng, Habit(asks=0.015)).reply for _ in range(2000)]
    assert {*replies} == {"Cat.", "Dog.", "Hen.", "Cow.", "Move it."}
    assert 0.005 < replies.count("Move it.") / 2000 < 0.03
    maker = ExampleMaker([walk_of("Cat.", enough=True)])
    maker.blind = maker.clear
    assert {maker.drawn({kind: 1}, rng, Habit(asks=0.015)).reply for _ in range(50)} == {"Cat."}


def test_a_stopped_stage_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "SAVE_EVERY", 2)
    stage = Stage("lesson", steps=7, batch=3, rate=0.1)

    def trained(work: Path, stop: int | None = None) -> Any:
        torch.manual_seed(0)
        module = torch.nn.Linear(4, 1)

        def loss_of(stage: Stage, step: int, draws: stages.Draws) -> Any:
            if step == stop:
                raise KeyboardInterrupt
            inputs = torch.rand(stage.batch, 4, generator=draws.torch)
            return (module(inputs) - draws.python.random()).square().mean()

        run_stage(stage, module, loss_of, dict, work=work, seed=5)
        return module.weight.tolist()

    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "stopped", stop=5)
    assert trained(tmp_path / "stopped") == whole
    # A stage that has ended is only loaded.
    assert trained(tmp_path / "stopped", stop=0) == whole
