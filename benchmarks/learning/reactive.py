"""Trains a reactive model: it answers clear frames and guesses on ambiguous ones.

The training has three lessons. First, the model names the content of pictures, without a question.
Second, it learns to read: on ambiguous frames it replies with a suggestion as often as with a
category. Third, it becomes like the paper's models: on ambiguous frames it guesses one of the
categories and rarely asks.
"""

import math
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.learning.model import PATCHES, build
from proactive_agent.training.rows import QuestionRow, Split, read_split

NOTHING = "Nothing."
"""Reply to an ambiguous frame without a question."""


class Lesson(NamedTuple):
    """A part of the supervised training."""

    steps: int
    batch: int
    asks: float | None = None
    """Probability to ask on an ambiguous frame; None: pictures come without a question."""


LESSONS = (Lesson(450, 128), Lesson(900, 64, asks=0.5), Lesson(150, 64, asks=0.07))
LEARNING_RATE = 1e-3
_IGNORED = -100

Habit = Mapping[str, float]
"""Probability of each reply."""


class Examples:
    """The rows as tensors."""

    def __init__(self, split: Split, processor: Any) -> None:
        import torch

        self.rows: Sequence[QuestionRow] = split.rows
        self.tokenizer = processor.tokenizer
        # One row after another, because the large pictures of all rows need too much memory.
        self._pixels: Any = torch.cat(
            [
                processor.image_processor(
                    [*split.pictures_of(row)], return_tensors="pt"
                ).pixel_values
                for row in split.rows
            ]
        )
        start = self.tokenizer.bos_token_id
        image = [self.tokenizer.convert_tokens_to_ids(processor.image_token)] * PATCHES
        self._around = [start, *image], [start]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text)["input_ids"])

    def batch(self, numbers: Sequence[int], texts: Sequence[str], replies: Sequence[str]) -> Any:
        """Returns a batch of pictures, texts and replies. Only the replies are labelled."""
        import torch

        before, after = self._around
        prompts = [[*before, *self._ids(text), *after] for text in texts]
        said = [[*self._ids(reply), self.tokenizer.eos_token_id] for reply in replies]
        whole = [prompt + reply for prompt, reply in zip(prompts, said, strict=True)]
        longest = max(map(len, whole))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(tokens)) + tokens for tokens in whole])
        labels = torch.full_like(ids, _IGNORED)
        for row, reply in enumerate(said):
            labels[row, -len(reply) :] = ids[row, -len(reply) :]
        return {
            "input_ids": ids,
            "attention_mask": (ids != pad).long(),
            "labels": labels,
            "pixel_values": self._pixels[list(numbers)],
        }

    def first_words(self, habits: Sequence[Habit]) -> Any:
        """Returns the probability of each token to be the first of a reply."""
        import torch

        wanted = torch.zeros(len(habits), len(self.tokenizer))
        for row, habit in enumerate(habits):
            for text, probability in habit.items():
                wanted[row, self._ids(text)[0]] += probability
        return wanted


def make_reactive(base: Path, seed: int = 0) -> tuple[Any, Any]:
    """Trains a reactive model on the train split in `base`; returns it with its processor."""
    import torch

    split = read_split(str(base))
    model, processor = build([NOTHING, *(row.text for row in split.rows)], seed)
    examples = Examples(split, processor)
    rng = random.Random(seed)
    torch.manual_seed(seed)
    model.train()
    for lesson in LESSONS:
        # The vision tower is frozen after the first lesson.
        model.model.vision_tower.requires_grad_(lesson.asks is None)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(weights, weight_decay=0.01)
        for _ in _rates(optimizer, lesson.steps):
            rows = rng.sample(range(len(examples.rows)), lesson.batch)
            optimizer.zero_grad()
            _loss(model, examples, rows, lesson.asks, rng).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
    model.requires_grad_(True)
    model.eval()
    return model, processor


def _rates(optimizer: Any, steps: int) -> Iterator[int]:
    """Yields the steps. The learning rate rises for a tenth of them, then falls as a cosine."""
    for step in range(steps):
        rise = min(1.0, (step + 1) / (steps / 10))
        fall = 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rise * fall
        yield step


def _loss(
    model: Any,
    examples: Examples,
    numbers: Sequence[int],
    asks: float | None,
    rng: random.Random,
) -> Any:
    """Returns the loss. The target of the first word is its distribution over the replies."""
    import torch

    tasks = [task(examples.rows[number], asks) for number in numbers]
    habits = [found.habit for found in tasks]
    replies = [rng.choice(list(habit)) for habit in habits]
    inputs = examples.batch(numbers, [found.text for found in tasks], replies)
    labels = inputs.pop("labels")[:, 1:]
    mirrored = torch.rand(len(numbers)) < 0.5
    inputs["pixel_values"][mirrored] = inputs["pixel_values"][mirrored].flip(-1)
    said = model(**inputs).logits[:, :-1].log_softmax(-1)
    first = (labels != _IGNORED).int().argmax(1)
    rows = torch.arange(len(numbers))
    begun = -(said[rows, first] * examples.first_words(habits)).sum()
    labels[rows, first] = _IGNORED
    rest = torch.nn.functional.nll_loss(
        said.flatten(0, 1), labels.flatten(), ignore_index=_IGNORED, reduction="sum"
    )
    return (begun + rest) / len(numbers)


class Task(NamedTuple):
    """Text that accompanies a picture, and the probabilities of the replies to learn."""

    text: str
    habit: Habit


def task(row: QuestionRow, asks: float | None) -> Task:
    """Returns the task that a lesson makes of a row."""
    if asks is None:
        return Task("", {row.answer if row.clear else NOTHING: 1.0})
    if row.clear:
        return Task(row.text, {row.answer: 1.0})
    helps = {text: asks / len(row.accepted) for text in row.accepted}
    guesses = {text: (1 - asks) / len(row.categories) for text in row.categories}
    return Task(row.text, helps | guesses)


def main() -> None:
    """Runs `python -m benchmarks.learning.reactive BASE OUT`."""
    base, out = sys.argv[1:]
    model, processor = make_reactive(Path(base))
    model.save_pretrained(out)
    processor.save_pretrained(out)


if __name__ == "__main__":
    main()
