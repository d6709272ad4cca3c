"""Training data: fresh scenes, played to their ends by the oracle, with every prompt and picture.

The product plays the scenes and renders the prompts, so a model is trained on the texts that it
meets in a run. Scenes are collected in shards. A shard is one file; a stopped collection goes on
with the next shard.
"""

import asyncio
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from benchmarks.nano.model import build_processor, chat_of
from proactive_agent import SCENARIOS, Game, Reply, Request
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.providers import Choice
from proactive_agent.providers.baselines import OracleBaseline
from proactive_agent.providers.local.chat import Chat, load_picture
from proactive_agent.providers.text_tools import format_call
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.framed import FramedScene
from proactive_agent.scenarios.fresh.source import FreshSource
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Answer

TRAINING_SEEDS = range(1_700_000, 1_710_000)
"""Seeds of the training scenes, one per shard. Do not test on them."""
PROGRESS_SEED = 1_710_000
"""Seed of the scenes on which progress is measured. They are not trained on."""
TEST_SEED = 1_710_001
"""Seed of the scenes of the final evaluation."""
SHARD = 100
"""Scenes in a shard."""
MOST_TURNS = 3
"""A walk keeps its first `MOST_TURNS` turns and its last two."""
LEAST_SHOWN = {
    "rod": 0.25, "vsod": 0.25, "changeit": 0.25, "coco": 0.25, "quickdraw": 0.6, "imagenet-c": 0.6
}  # fmt: skip
"""Least visible share with which the model has to recognise a thing; see `Scene.visible`. In mvp-n
and imagenet-c, it also has to in informative frames."""
LEAST_NAMED = {
    "rod": 0.75, "vsod": 0.75, "changeit": 0.75, "coco": 0.95, "quickdraw": 0.75
}  # fmt: skip
"""Least visible share with which the model names a thing instead of asking.

Above the share of informative frames, so that the model rarely stops before one. In mvp-n and
imagenet-c, it names the thing in informative frames."""
CROPPED = "coco"
"""Scenario whose clear frames are collected too. On a walk, a crop shows the whole thing only when
it has become larger than a clear frame."""
Condition = Literal["zero-shot", "clear"]


class TrainingPrompt(msgspec.Struct):
    """One turn as the model reads it, with the replies that it could learn."""

    text: str
    """The rendered conversation. A picture is its placeholder."""
    answers: dict[str, str]
    """Reply by category."""
    ask: str | None
    """The reply of the oracle, if it asks in this turn."""

    @property
    def short_ask(self) -> str | None:
        """The letter of the asking option in multiple choice; the whole call with tools.

        Suggestions are long and worded in many ways. A small model learns to point at one long
        before it learns to copy one.
        """
        start, found, _ = self.text.partition(f". {self.ask}\n")
        return f"{start[-1]}." if found else self.ask


class KeptTurn(msgspec.Struct):
    """A turn of a walk."""

    number: int
    """Number of the turn, from 0."""
    visible: float
    """Visible share of the thing, from 0 to 1; see `Scene.visible`."""
    enough: bool
    """Whether the frame is informative."""
    mcqa: TrainingPrompt
    tools: TrainingPrompt | None
    """The conversation up to this turn; None if it has more than `MOST_TURNS` pictures."""


class SceneWalk(msgspec.Struct):
    """A scene on the oracle's way from the first frame to the reference frame."""

    scenario: str
    answer: str
    turns: list[KeptTurn]
    first_picture: int
    """Row of the first turn's picture. The other turns follow."""

    @property
    def categories(self) -> frozenset[str]:
        """The four categories of the scene."""
        return frozenset(self.turns[0].mcqa.answers)

    def recognisable(self, turn: KeptTurn) -> bool:
        """Returns whether the model should recognise the thing in a turn."""
        if self.scenario not in LEAST_NAMED and turn.enough:
            return True
        return turn.visible >= LEAST_SHOWN.get(self.scenario, 1)

    def named(self, turn: KeptTurn) -> bool:
        """Returns whether the model should name the thing in a turn instead of asking."""
        least = LEAST_NAMED.get(self.scenario)
        return turn.enough if least is None else turn.visible >= least

    def blind(self, turn: KeptTurn) -> bool:
        """Returns whether a turn shows nothing of the thing."""
        return turn.number == 0 and not turn.enough


class SceneSet(NamedTuple):
    """Scenes with their pictures."""

    walks: list[SceneWalk]
    pictures: Any
    """(pictures, side, side, 3), from 0 to 255."""


class ShardOrder(NamedTuple):
    """The content of one shard."""

    scenario: str
    seed: int
    scenes: int
    size: int
    """Side of a frame as a run shows it, in pixels."""
    side: int
    """Side of a picture as the model sees it, in pixels."""
    condition: Condition
    """Condition under which the scenes are played."""

    @property
    def name(self) -> str:
        """Name of the shard's file."""
        clear = "clear-" if self.condition == "clear" else ""
        return f"{self.scenario}-{clear}{self.seed}.npz"


def collect(
    folder: Path,
    seeds: Sequence[int],
    each: int,
    *,
    size: int,
    side: int,
    cores: int,
    scenarios: Sequence[str] = tuple(SCENARIOS),
    condition: Condition = "zero-shot",
) -> SceneSet:
    """Returns `each` scenes of every scenario. Renders those that the folder does not hold yet.

    Under the condition `clear`, scenes without a clear frame are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    orders = [
        ShardOrder(scenario, seeds[number], min(SHARD, each - begin), size, side, condition)
        for number, begin in enumerate(range(0, each, SHARD))
        for scenario in scenarios
    ]
    missing = [order for order in orders if not (folder / order.name).exists()]
    if missing:
        print(f"scenes: rendering {len(missing)} of {len(orders)} shards", flush=True)
    if cores == 1:
        for order in missing:
            _write_shard(folder, order)
    elif missing:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            for _ in pool.map(_write_shard, [folder] * len(missing), missing):
                pass
    return joined([_read_shard(folder / order.name) for order in orders])


def joined(shards: Sequence[SceneSet]) -> SceneSet:
    """Joins sets. Changes the rows of their walks."""
    walks, rows = [], 0
    for shard in shards:
        for walk in shard.walks:
            walk.first_picture += rows
            walks.append(walk)
        rows += len(shard.pictures)
    return SceneSet(walks, np.concatenate([shard.pictures for shard in shards]))


def _read_shard(file: Path) -> SceneSet:
    with np.load(file, allow_pickle=False) as content:
        walks = msgspec.json.decode(content["walks"].tobytes(), type=list[SceneWalk])
        return SceneSet(walks, content["pictures"])


def _write_shard(folder: Path, order: ShardOrder) -> None:
    walks: list[SceneWalk] = []
    pictures: list[Any] = []
    for walk, shown in _played(order):
        walk.first_picture = len(pictures)
        walks.append(walk)
        pictures += shown
    stream = io.BytesIO()
    content = np.frombuffer(msgspec.json.encode(walks), np.uint8)
    # A shard of small clear frames can be empty.
    shape = (-1, order.side, order.side, 3)
    np.savez(stream, walks=content, pictures=np.array(pictures, np.uint8).reshape(shape))
    write_whole(folder / order.name, stream.getvalue())
    print(f"scenes: {order.name}, {len(pictures)} pictures", flush=True)


class _Guide(OracleBaseline):
    """Plays like the oracle and keeps the requests with its replies."""

    def __init__(self) -> None:
        self.seen: list[tuple[Request, Reply]] = []

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        self.seen.append((request, reply))
        return reply


def _played(order: ShardOrder) -> Iterator[tuple[SceneWalk, list[Any]]]:
    source = FreshSource(order.seed, things="seen", samples=order.scenes, size=order.size)
    data = FreshData(source)
    # Any tokenizer renders the same text, so this one knows bytes only.
    processor = build_processor((), order.side)
    chat = chat_of(processor)
    plays = tuple(
        Game(scenarios=order.scenario, protocol=protocol, condition=order.condition, data=data).play
        for protocol in ("mcqa", "tools")
    )
    for index in range(order.scenes):
        sample = data.sample(order.scenario, index)
        clear = order.condition == "clear"
        if clear and not plays[0].environment(order.scenario, sample).has_clear_frame():
            continue
        (record, mcqa), (_, tools) = (_guided(play, order.scenario, sample) for play in plays)
        shares = [1.0] if clear else _shares(data, order.scenario, index, sample, record)
        every = range(len(mcqa))
        numbers = sorted({*every[:MOST_TURNS], *every[-2:]})
        turns = [
            KeptTurn(
                number,
                shares[number],
                bool(record.turns[number].enough),
                _prompt(chat, *mcqa[number]),
                _prompt(chat, *tools[number]) if number < MOST_TURNS else None,
            )
            for number in numbers
        ]
        pictures = [_shrunk(processor, mcqa[number][0]) for number in numbers]
        yield SceneWalk(order.scenario, sample.answer, turns, 0), pictures


def _guided(
    play: Play, scenario: str, sample: Sample
) -> tuple[EpisodeRecord, list[tuple[Request, Reply]]]:
    guide = _Guide()
    record = asyncio.run(play_episode(replace(play, provider=guide), scenario, sample))
    if record.error:
        raise RuntimeError(f"{scenario} {sample.id}: {record.error.message}")
    return record, guide.seen


def _shares(
    data: FreshData, scenario: str, index: int, sample: Sample, record: EpisodeRecord
) -> list[float]:
    """Returns the visible share of the thing in each turn."""
    scene = data.scene(scenario, index)
    if isinstance(scene, FramedScene):
        return scene.shares(sample)
    return [scene.visible(Path(turn.image.path).stem) for turn in record.turns]


def _prompt(chat: Chat, request: Request, reply: Reply) -> TrainingPrompt:
    answers = {
        choice.action.category: _written(choice)
        for choice in request.choices
        if isinstance(choice.action, Answer)
    }
    said = format_call(reply.tool_calls[0]) if reply.tool_calls else _unlettered(reply.text)
    return TrainingPrompt(chat.text(request), answers, None if said in answers.values() else said)


def _written(choice: Choice) -> str:
    """Returns the reply that the model should write for a choice."""
    return format_call(choice.call) if choice.call else _unlettered(choice.text)


def _unlettered(option: str) -> str:
    """Returns an option of the multiple choice without its letter: the model copies its text."""
    return option.partition(". ")[2]


def _shrunk(processor: Any, request: Request) -> Any:
    """Returns the last picture of a request as the model sees it: (side, side, 3), 0 to 255."""
    picture = load_picture(request.pictures[-1])
    values = processor.image_processor(picture, return_tensors="np")["pixel_values"][0]
    pixels = np.rint((np.asarray(values) + 1) * 127.5).clip(0, 255)
    return pixels.astype(np.uint8).transpose(1, 2, 0)
