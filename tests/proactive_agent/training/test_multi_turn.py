"""Whole episodes in TRL: the conversations have the same tokens as in a run."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

import torch
import transformers
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import ExternalPlayer, Play, play_episode
from proactive_agent.play.protocols import ToolUse
from proactive_agent.play.reward import RewardRule
from proactive_agent.providers import Provider, Reply, Request
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.messages import pictures_of
from proactive_agent.providers.text_tools import reply_from_text
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.tools import UserError
from proactive_agent.training.episodes import (
    EpisodeEnvironment,
    EpisodeLoop,
    read_episodes,
)
from proactive_agent.training.events import Event
from proactive_agent.training.multi_turn import check_model
from proactive_agent.training.prompts import ReplyFrame
from proactive_agent.training.session import train
from proactive_agent.training.settings import TrainingSettings
from proactive_agent.training.sft import RecordingOracle, solved_episodes
from tests.proactive_agent.training.models import steps
from tests.providers import tiny_models

pytestmark = pytest.mark.local

LIMIT = 50
FRAME = ReplyFrame("", "<|im_end|>")
PLAN = [
    '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}</tool_call>',
    "Please move it to the right.",
    '<tool_call>{"name": "dance"}</tool_call>',
]


def chat() -> Chat:
    folder = tiny_models.folder(tiny_models.NATIVE_TOOLS)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    return Chat(processor, processor.chat_template)


def play_with(provider: Provider) -> Play:
    protocol = ToolUse()
    return Play(DataFolder(), provider, protocol, parse_condition("zero-shot", protocol.name))


class Planned(Provider):
    """Replies by plan and records its requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        return reply_from_text(PLAN[len(self.requests) - 1], tools=True, turn=request.key.turn)


def written(parts: list[dict[str, Any]], mark: str) -> str:
    return "".join(mark if part["type"] == "image" else part["text"] for part in parts)


def test_an_episode_of_the_trainer_equals_that_of_a_run() -> None:
    openings = read_episodes(str(EMBEDDED)).rows
    opening = next(one for one in openings if one.scenario == "rod")
    provider = Planned()
    record = asyncio.run(play_episode(play_with(provider), "rod", opening.sample))
    own = chat()
    with EpisodeLoop(play_with(ExternalPlayer()), openings, own, FRAME, LIMIT) as episode_loop:
        episode = EpisodeEnvironment(episode_loop)
        compare(episode, episode_loop, provider.requests, opening.index)
    assert episode.record is not None
    quick = {"usage": True, "turns": {"__all__": {"usage"}}}
    assert episode.record.model_dump(exclude=quick) == record.model_dump(exclude=quick)
    assert RewardRule(price=0.1, over_asking=0.2).episode_parts(episode.record) == {
        "category": 0, "suggestion": 0.5, "price": pytest.approx(-0.2), "over_asking": 0,
    }  # fmt: skip


def compare(
    episode: EpisodeEnvironment, episode_loop: EpisodeLoop, requests: list[Request], index: int
) -> None:
    """Plays the plan and compares the conversation with every request of the run."""
    own = episode_loop.chat
    shown = written(episode.reset(row=index), episode_loop.mark)
    assert shown == own.text(requests[0])
    assert episode.record is None
    for number, reply in enumerate(PLAN[:2]):
        parts = episode.reply(reply)
        follows = written(parts, episode_loop.mark)
        request = requests[number + 1]
        assert own.text(request).endswith(f"<|im_end|>{follows}")
        (picture,) = [part["image"] for part in parts if part["type"] == "image"]
        assert picture.tobytes() == pictures_of(request.messages[-1])[0].load().tobytes()
    (end,) = episode.reply(PLAN[2])
    assert len(own.processor.tokenizer(end["text"])["input_ids"]) > LIMIT


def test_an_abandoned_episode_ends_when_the_next_begins() -> None:
    openings = read_episodes(str(EMBEDDED)).rows
    with EpisodeLoop(play_with(ExternalPlayer()), openings, chat(), FRAME, LIMIT) as episode_loop:
        episode = EpisodeEnvironment(episode_loop)
        first = episode.reset(row=0)
        left = episode._episode
        assert written(episode.reset(row=0), "*") == written(first, "*")
        assert episode._episode is not left
        assert not asyncio.all_tasks(episode_loop.loop)


def test_an_episode_that_was_cut_off_earns_nothing() -> None:
    assert RewardRule().episode_reward(None) == 0


def test_solved_episodes_hold_every_turn_up_to_the_right_answer() -> None:
    data = read_episodes(str(EMBEDDED))
    opening = next(one for one in data.rows if one.scenario == "mvp-n")
    oracle = RecordingOracle()
    record = asyncio.run(play_episode(play_with(oracle), "mvp-n", opening.sample))
    assert record.outcome.correct
    solved = solved_episodes([opening], data.data, ToolUse())
    turns = range(len(record.turns))
    assert [len(one.request.messages) for one in solved] == [2 * turn + 1 for turn in turns]
    assert [one.reply for one in solved] == [one.reply for one in oracle.solved]


def test_a_model_without_support_for_later_pictures_is_refused() -> None:
    for kind in ("llava_onevision", "smolvlm"):
        folder = tiny_models.folder(kind)
        model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
        processor = transformers.AutoProcessor.from_pretrained(folder)
        with pytest.raises(
            UserError, match="multi-turn: TRL cannot pass pictures of later turns to"
        ):
            check_model(model, processor)


@pytest.fixture(scope="module")
def one_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data with one sample: an object that must be rotated twice."""
    folder = tmp_path_factory.mktemp("one")
    lines = (EMBEDDED / "MVP-N_preprocessed.jsonl").read_text().splitlines()
    fields = next(fields for fields in map(json.loads, lines) if fields["num_images"] == 3)
    (folder / "MVP-N_preprocessed.jsonl").write_text(json.dumps(fields) + "\n")
    place = Path(fields["image_template"]).parent
    shutil.copytree(EMBEDDED / place, folder / place)
    return folder


class Prompted:
    """Replaces a model's `generate`: replies by plan, depending on the number of pictures seen.

    Everything else is the real model.
    """

    def __init__(self, model: Path, replies: list[str]) -> None:
        self.prompts: list[list[int]] = []
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        self._picture = self._tokenizer.convert_tokens_to_ids("<|vision_start|>")
        self._replies = replies

    def generate(self, **inputs: Any) -> torch.Tensor:
        """Replaces the model's method."""
        rows = []
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
            prompt = ids[mask.bool()].tolist()
            self.prompts.append(prompt)
            text = self._replies[prompt.count(self._picture) - 1] + "<|im_end|>"
            rows.append(torch.tensor(self._tokenizer(text)["input_ids"]))
        pad = self._tokenizer.pad_token_id
        new = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)
        return torch.cat([inputs["input_ids"], new], dim=1)


@pytest.fixture
def prompted(one_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Prompted:
    """Makes a tiny model solve the sample."""
    (opening,) = read_episodes(str(one_sample)).rows
    turn = '<tool_call>{"name": "rotate_object", "arguments": {}}</tool_call>'
    answer = {"name": "answer", "arguments": {"category": opening.answer.removesuffix(".")}}
    replies = [turn, turn, f"<tool_call>{json.dumps(answer)}</tool_call>"]
    planned = Prompted(tiny_models.folder(tiny_models.NATIVE_TOOLS), replies)
    kind = transformers.Qwen2_5_VLForConditionalGeneration
    monkeypatch.setattr(kind, "generate", lambda self, **inputs: planned.generate(**inputs))
    return planned


def trained(folder: Path, data: Path, **more: Any) -> dict[str, Any]:
    """Trains for one step and returns its log."""
    (folder / "other").mkdir()
    (folder / "other" / "QuickDraw_preprocessed.jsonl").write_text("")
    settings = TrainingSettings.of(
        model=str(tiny_models.folder(tiny_models.NATIVE_TOOLS)), data=str(data), multi_turn=True,
        protocol="tools", batch_size=2, rollouts=2, max_steps=1, eval_limit=0,
        eval_data=str(folder / "other"), **more,
    )  # fmt: skip
    told: list[Event] = []
    train(settings, folder / "out", told.append)
    (step,) = steps(told)
    return step


def test_a_trained_episode_has_the_same_prompts_as_in_a_run(
    prompted: Prompted, one_sample: Path, tmp_path: Path
) -> None:
    step = trained(tmp_path, one_sample, tune="full")
    assert (step["turns"], step["reward/category"], step["cut_rate"]) == (3, 1, 0)
    assert step["entropy"] > 0
    in_training, prompted.prompts = prompted.prompts, []
    model = tiny_models.folder(tiny_models.NATIVE_TOOLS)
    options = ["--data", str(one_sample), "--out", str(tmp_path / "runs")]
    run = CliRunner().invoke(cli, ["run", "--provider", f"local:{model}", *options])
    assert run.exit_code == 0, run.output
    assert len(prompted.prompts) == 3
    assert in_training == [tokens for tokens in prompted.prompts for _ in range(2)]


def test_an_episode_that_needs_too_many_tokens_is_cut_off(
    prompted: Prompted, one_sample: Path, tmp_path: Path
) -> None:
    step = trained(tmp_path, one_sample, max_tokens=150)
    assert (step["cut_rate"], step["reward"]) == (1, 0)


def test_supervised_turns_are_those_of_whole_episodes(one_sample: Path, tmp_path: Path) -> None:
    step = trained(tmp_path, one_sample, method="sft")
    assert step["phase"] == "sft"
    assert step["loss"] > 0
