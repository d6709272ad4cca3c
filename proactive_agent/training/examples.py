"""Rows as a trainer's data set: rendered prompt, picture, and the number of the row."""

from collections.abc import Sequence
from typing import Any

from proactive_agent.protocols import Protocol
from proactive_agent.training.prompts import ReplyFrame, request_for, with_first_token
from proactive_agent.training.rows import Row
from proactive_agent.training.solved import Solved
from providers.local.chat import Chat, pictures_of
from scenarios.wording import Wording


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
    return chosen.add_column("row", numbers)


def pictures_of_requests(solved: Sequence[Solved]) -> Any:
    """The column `images`: for each request those of its whole conversation."""
    import datasets

    images = [
        [part.load() for message in one.request.messages for part in pictures_of(message)]
        for one in solved
    ]
    features = datasets.Features({"images": datasets.List(datasets.Image(mode="RGB"))})
    return datasets.Dataset.from_dict({"images": images}, features=features)


def solved_examples(pictures: Any, solved: Sequence[Solved], chat: Chat, frame: ReplyFrame) -> Any:
    """The columns `prompt`, `completion` and `images`, for supervised training."""
    tokenizer = chat.processor.tokenizer
    prompts = [with_first_token(chat.text(one.request), tokenizer) for one in solved]
    replies = [frame.around(one.reply) for one in solved]
    return pictures.add_column("prompt", _messages("user", prompts)).add_column(
        "completion", _messages("assistant", replies)
    )


def _messages(role: str, texts: Sequence[str]) -> list[list[dict[str, str]]]:
    return [[{"role": role, "content": text}] for text in texts]
