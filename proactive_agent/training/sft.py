"""Supervised training on solved episodes, with TRL's trainer.

It is a method by itself (`--method sft`) and the warm-up for GRPO (`--warm-up`). `baseline:oracle`
solves the episodes; its replies are written as a model writes them in the protocol.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Protocol
from proactive_agent.providers import Reply, Request
from proactive_agent.providers.baselines import OracleBaseline
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.messages import pictures_of
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.wording import Wording
from proactive_agent.training.arguments import sft_arguments
from proactive_agent.training.episodes import EpisodeData, Opening
from proactive_agent.training.model import adapter_config, on_gpu, world_size
from proactive_agent.training.prepared import Prepared
from proactive_agent.training.prompts import ReplyFrame, reply_frame, request_for, with_first_token
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.settings import ReplyForm


def sft_trainer(prepared: Prepared, callbacks: list[Any]) -> Any:
    """Returns TRL's trainer. The loss covers only the replies."""
    import trl

    settings, chosen = prepared.settings, prepared.chosen
    held_out = chosen.held_out if settings.method == "sft" else []
    arguments = sft_arguments(
        settings,
        prepared.out,
        processes=world_size(),
        gpu=on_gpu(settings),
        evaluates=bool(held_out),
    )
    return trl.SFTTrainer(
        model=prepared.loaded.model,
        args=trl.SFTConfig(**arguments),
        train_dataset=_examples(prepared, chosen.train),
        eval_dataset=_examples(prepared, held_out) if held_out else None,
        processing_class=prepared.processor,
        peft_config=adapter_config(prepared.loaded.model, settings),
        callbacks=callbacks,
    )


def _examples(prepared: Prepared, rows: Sequence[Any]) -> Any:
    frame = reply_frame(prepared.chat, prepared.loaded.processor.tokenizer, prepared.stop)
    if isinstance(prepared.data, EpisodeData):
        solved = solved_episodes(rows, prepared.data.data, prepared.protocol)
        pictures = pictures_of_requests(solved)
    else:
        form = prepared.settings.reply_form
        solved = solved_rows(rows, prepared.protocol, prepared.wordings, form)
        pictures = pictures_of_rows(prepared.data.pictures, rows)
    return solved_examples(pictures, solved, prepared.chat, frame)


class Solved(NamedTuple):
    """A request and its right reply."""

    request: Request
    reply: Reply


def solved_rows(
    rows: Iterable[QuestionRow], protocol: Protocol, wordings: Sequence[Wording], form: ReplyForm
) -> list[Solved]:
    """Solves each row as an episode of one turn."""
    requests = [request_for(row, protocol, wordings) for row in rows]
    replies = asyncio.run(_ask(requests))
    return [
        Solved(request, in_form(reply, form))
        for request, reply in zip(requests, replies, strict=True)
    ]


def in_form(reply: Reply, form: ReplyForm) -> Reply:
    """Reduces a multiple-choice reply to its letter or its text. Tool calls stay unchanged."""
    mark, _, text = reply.text.partition(". ")
    if reply.tool_calls or form == "letter-and-text":
        return reply
    return Reply(f"{mark}." if form == "letter" else text)


class RecordingOracle(OracleBaseline):
    """The oracle baseline, which records its requests and replies."""

    def __init__(self) -> None:
        self.solved: list[Solved] = []

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        self.solved.append(Solved(request, reply))
        return reply


def solved_episodes(rows: Iterable[Opening], data: DataFolder, protocol: Protocol) -> list[Solved]:
    """Solves whole episodes and returns every turn."""
    oracle = RecordingOracle()
    condition = parse_condition("zero-shot", protocol.name)
    play = Play(data, oracle, protocol, condition)

    async def play_all() -> None:
        for row in rows:
            await play_episode(play, row.scenario, row.sample)

    asyncio.run(play_all())
    return oracle.solved


async def _ask(requests: Iterable[Request]) -> list[Reply]:
    oracle = OracleBaseline()
    return [await oracle.complete(request) for request in requests]


def pictures_of_rows(pictures: Any, rows: Sequence[QuestionRow]) -> Any:
    """Returns a data set with the column `images`: the picture of each row."""
    return pictures.select([row.index for row in rows]).cast(_decoded())


def pictures_of_requests(solved: Sequence[Solved]) -> Any:
    """Returns a data set with the column `images`: the pictures of each whole conversation."""
    import datasets

    images = [
        [part.load() for message in one.request.messages for part in pictures_of(message)]
        for one in solved
    ]
    return datasets.Dataset.from_dict({"images": images}, features=_decoded())


def solved_examples(pictures: Any, solved: Sequence[Solved], chat: Chat, frame: ReplyFrame) -> Any:
    """Adds the columns `prompt` and `completion` to the pictures."""
    tokenizer = chat.processor.tokenizer
    prompts = [with_first_token(chat.text(one.request), tokenizer) for one in solved]
    replies = [frame.around(one.reply) for one in solved]
    return pictures.add_column("prompt", _messages("user", prompts)).add_column(
        "completion", _messages("assistant", replies)
    )


def _decoded() -> Any:
    import datasets

    return datasets.Features({"images": datasets.List(datasets.Image(mode="RGB"))})


def _messages(role: str, texts: Sequence[str]) -> list[list[dict[str, str]]]:
    return [[{"role": role, "content": text}] for text in texts]
