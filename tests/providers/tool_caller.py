"""A tiny vision-language model, trained to call a tool, look again, and answer.

It reads only the tools, the roles and the pictures of a conversation, not its words, so it can be
trained in seconds.  It answers only after it has seen a second picture.
"""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image

from tests.providers.tiny_models import qwen2_5_vl
from tests.providers.tiny_templates import PICTURES_AND_CALLS

STEPS = 600
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
    model, processor = qwen2_5_vl(PICTURES_AND_CALLS)
    offer = [{"type": "function", "function": {"name": name}} for name in tools]
    courses = [
        [_lesson(processor, offer, *lesson) for lesson in _lessons(first, answer, *pair)]
        for pair in zip(pictures, pictures[1:] + pictures[:1], strict=True)
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    model.train()
    good = 0
    for step in range(STEPS):
        losses = [model(**inputs).loss for inputs in courses[step % len(courses)]]
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        good = good + 1 if max(losses).item() < GOOD_ENOUGH else 0
        if good == len(courses):
            break
    else:
        raise AssertionError(f"the lessons are not learnt: {max(losses).item()}")
    model.eval()
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.generation_config.eos_token_id = [processor.tokenizer.eos_token_id]
    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _lessons(
    first: Turn, answer: Turn, before: Image.Image, after: Image.Image
) -> list[tuple[list[Turn], Turn]]:
    """Conversations and their correct replies."""
    shown, new = ({"type": "image", "image": picture} for picture in (before, after))
    asked = {"role": "user", "content": [shown]}
    called, answered = _calling(first), _calling(answer)
    result = {"role": "tool", "content": []}
    return [
        ([asked], called),
        ([asked, called, result], called),
        # Some servers keep a picture inside the result, others place it after the result.
        ([asked, called, {"role": "tool", "content": [new]}], answered),
        ([asked, called, result, {"role": "user", "content": [new]}], answered),
    ]


def _calling(call: Turn) -> Turn:
    return {
        "role": "assistant",
        "content": [],
        "tool_calls": [{"type": "function", "function": json.loads(json.dumps(call))}],
    }


def _lesson(processor: Any, tools: list[Turn], prompt: list[Turn], reply: Turn) -> Any:
    """A training example whose last message is the target."""

    def tokens(turns: list[Turn], **more: Any) -> Any:
        return processor.apply_chat_template(
            turns, tools=tools, tokenize=True, return_dict=True, return_tensors="pt", **more
        )

    start = tokens(prompt, add_generation_prompt=True)["input_ids"]
    inputs = tokens([*prompt, reply])
    labels = inputs["input_ids"].clone()
    assert torch.equal(inputs["input_ids"][:, : start.shape[1]], start)
    labels[:, : start.shape[1]] = -100
    return {**inputs, "labels": labels}
