"""A tiny vision-language model, trained to call a tool, look again, and answer.

It reads the names of the tools, the roles, the pictures and the end of every text, so it can be
trained in seconds. It answers only after it has seen a second picture. If its template opens a
thought, it thinks before each call.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from torch.nn.utils.rnn import pad_sequence

from proactive_agent.tools.texts import DONE, IMAGE_FOLLOWS, INSTRUCTION, NOT_POSSIBLE
from tests.providers.tiny_models import qwen2_5_vl
from tests.providers.tiny_templates import PICTURES_AND_CALLS

THOUGHT = "Something hides it."
"""What the model thinks before its first call."""
SURE = "Now I see."
"""Thoughts of the model before its answer."""
STEPS = 900
GOOD_ENOUGH = 0.01
"""If the largest loss of an example is below this, every reply is reproduced exactly."""

Turn = dict[str, Any]


def teach(
    folder: Path, tools: list[str], first: Turn, answer: Turn, pictures: list[Image.Image]
) -> None:
    """Saves a model that calls `first`, and calls `answer` once it has seen a second picture.

    A call is `{"name": …, "arguments": {…}}`; `tools` are the names on offer, in order.
    """
    torch.manual_seed(0)
    # On a busy machine, two threads that wait for each other are several times slower than one.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, processor = qwen2_5_vl(PICTURES_AND_CALLS)
    offer = [{"type": "function", "function": {"name": name}} for name in tools]
    courses = [
        _course([_lesson(processor, offer, *lesson) for lesson in _lessons(first, answer, *pair)])
        for pair in zip(pictures, pictures[1:] + pictures[:1], strict=True)
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    model.train()
    good = 0
    for step in range(STEPS):
        losses = _losses(model, courses[step % len(courses)])
        optimizer.zero_grad()
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        good = good + 1 if losses.max().item() < GOOD_ENOUGH else 0
        if good == len(courses):
            break
    else:
        raise AssertionError(f"the lessons are not learnt: {losses.tolist()}")
    torch.set_num_threads(threads)
    model.eval()
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.generation_config.eos_token_id = [processor.tokenizer.eos_token_id]
    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _lessons(
    first: Turn, answer: Turn, before: Image.Image, after: Image.Image
) -> Iterator[tuple[list[Turn], Turn]]:
    """Conversations and their correct replies."""
    shown, new = ({"type": "image", "image": picture} for picture in (before, after))
    asked = {"role": "user", "content": [shown, _text(INSTRUCTION)]}
    refused = {"role": "tool", "content": [_text(NOT_POSSIBLE)]}
    done = {"role": "tool", "content": [_text(DONE)]}
    # Some servers keep a picture inside the result, others place it after the result.
    results = [
        [{"role": "tool", "content": [new, _text(DONE)]}],
        [done, {"role": "user", "content": [new, _text(IMAGE_FOLLOWS)]}],
        [done, {"role": "user", "content": [new]}],
    ]
    called = _calling(first)
    yield [asked], called
    yield [asked, called, refused], called
    for result in results:
        yield [asked, called, *result], _calling(answer)
    thought = _calling(first, THOUGHT)
    yield [asked], thought
    for result in results:
        # Some servers and clients drop the thoughts of earlier turns.
        for earlier in (called, thought):
            yield [asked, earlier, *result], _calling(answer, SURE)


def _text(text: str) -> Turn:
    return {"type": "text", "text": text}


def _calling(call: Turn, thought: str = "") -> Turn:
    """An assistant's message with a call, and with the thought before it if there is one."""
    call = {"type": "function", "function": call}
    return {
        "role": "assistant",
        "content": [],
        "reasoning_content": thought,
        "tool_calls": [call],
    }


def _lesson(processor: Any, tools: list[Turn], prompt: list[Turn], reply: Turn) -> Any:
    """A training example whose last message is the target."""

    def tokens(turns: list[Turn], **more: Any) -> Any:
        return processor.apply_chat_template(
            turns,
            tools=tools,
            enable_thinking=bool(reply["reasoning_content"]),
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **more,
        )

    start = tokens(prompt, add_generation_prompt=True)["input_ids"]
    inputs = tokens([*prompt, reply])
    labels = inputs["input_ids"].clone()
    assert torch.equal(inputs["input_ids"][:, : start.shape[1]], start)
    labels[:, : start.shape[1]] = -100
    return {**inputs, "labels": labels}


def _course(lessons: Sequence[Any]) -> dict[str, Any]:
    """One batch of lessons: texts padded on the right, pictures one after the other."""
    pictures = ("pixel_values", "image_grid_thw")
    batch = {name: torch.cat([lesson[name] for lesson in lessons]) for name in pictures}
    for name in set(lessons[0]) - set(pictures):
        padding = -100 if name == "labels" else 0
        rows = [lesson[name][0] for lesson in lessons]
        batch[name] = pad_sequence(rows, batch_first=True, padding_value=padding)
    return batch


def _losses(model: Any, course: dict[str, Any]) -> torch.Tensor:
    """The mean loss of each lesson."""
    inputs = {name: value for name, value in course.items() if name != "labels"}
    logits = model(**inputs).logits[:, :-1].transpose(1, 2)
    labels = course["labels"][:, 1:]
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return losses.sum(1) / (labels != -100).sum(1)
