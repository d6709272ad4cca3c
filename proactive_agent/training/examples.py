"""Rows as a trainer's data set: rendered prompt, picture, and the number of the row."""

from collections.abc import Callable, Sequence
from typing import Any

from proactive_agent.play.protocols import Protocol
from proactive_agent.providers.local.chat import Chat, pictures_of
from proactive_agent.scenarios.wording import Wording
from proactive_agent.training.prompts import ReplyFrame, request_for, with_first_token
from proactive_agent.training.rows import Row
from proactive_agent.training.solved import Solved

Batch = dict[str, list[Any]]


def prompts_of(
    pictures: Any,
    rows: Sequence[Row],
    protocol: Protocol,
    chat: Chat,
    wordings: Sequence[Wording],
) -> Any:
    """The columns `prompt`, `images` and `row`, for GRPO.  Raises RowError."""
    texts = [chat.text(request_for(row, protocol, wordings)) for row in rows]
    numbers = [row.index for row in rows]
    chosen = pictures.select(numbers).add_column("prompt", _messages("user", texts))
    return chosen.add_column("row", numbers).with_transform(_decoding())


def pictures_of_rows(pictures: Any, rows: Sequence[Row]) -> Any:
    """The column `images`: for each row its own."""
    return pictures.select([row.index for row in rows]).cast(_decoded())


def pictures_of_requests(solved: Sequence[Solved]) -> Any:
    """The column `images`: for each request those of its whole conversation."""
    import datasets

    images = [
        [part.load() for message in one.request.messages for part in pictures_of(message)]
        for one in solved
    ]
    return datasets.Dataset.from_dict({"images": images}, features=_decoded())


def solved_examples(pictures: Any, solved: Sequence[Solved], chat: Chat, frame: ReplyFrame) -> Any:
    """The columns `prompt`, `completion` and `images`, for supervised training."""
    tokenizer = chat.processor.tokenizer
    prompts = [with_first_token(chat.text(one.request), tokenizer) for one in solved]
    replies = [frame.around(one.reply) for one in solved]
    return pictures.add_column("prompt", _messages("user", prompts)).add_column(
        "completion", _messages("assistant", replies)
    )


def _decoded() -> Any:
    import datasets

    return datasets.Features({"images": datasets.List(datasets.Image(mode="RGB"))})


def _decoding() -> Callable[[Batch], Batch]:
    """Decodes pictures as they are asked for, once for all replies to a prompt.

    GRPO asks for a prompt as often as there are replies to it, one after the other.
    """
    import datasets

    decode = datasets.Image(mode="RGB").decode_example
    last: tuple[int | None, list[Any]] = None, []

    def decoded(batch: Batch) -> Batch:
        nonlocal last
        images = []
        for row, files in zip(batch["row"], batch["images"], strict=True):
            if row != last[0]:
                last = row, [decode(file) for file in files]
            images.append(last[1])
        return {**batch, "images": images}

    return decoded


def _messages(role: str, texts: Sequence[str]) -> list[list[dict[str, str]]]:
    return [[{"role": role, "content": text}] for text in texts]
