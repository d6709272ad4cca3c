"""A loopback server with Chat Completions, behind which a script asks once and then answers."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.providers.posted_bodies import answering


@contextmanager
def fake_chat() -> Iterator[tuple[str, list[list[bytes]]]]:
    """Yields the base URL, and the pictures of each request."""
    seen: list[list[bytes]] = []

    def completion(body: dict[str, Any]) -> dict[str, Any] | bytes:
        whole = _completion(body, seen)
        return _streamed(whole) if body.get("stream") else whole

    with answering(completion) as url:
        yield url, seen


def _completion(body: dict[str, Any], seen: list[list[bytes]]) -> dict[str, Any]:
    parts = [
        part
        for message in body["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    seen.append([
        base64.b64decode(part["image_url"]["url"].partition(",")[2])
        for part in parts if part["type"] == "image_url"
    ])  # fmt: skip
    first = " ".join(part.get("text", "") for part in parts)
    if len(seen[-1]) == 1:
        call = {"name": "move_object", "arguments": {"direction": "left"}}
    else:
        found = re.search(r'answer\(category: "([^"]+)"', first)
        call = {"name": "answer", "arguments": {"category": found[1] if found else ""}}
    message = {"role": "assistant", "content": f"<tool_call>{json.dumps(call)}</tool_call>"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip


def _streamed(whole: dict[str, Any]) -> bytes:
    """Returns a completion as a stream of events."""
    (choice,) = whole["choices"]
    chunks = [
        {"index": 0, "delta": choice["message"], "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]},
    ]
    events = [
        whole | {"object": "chat.completion.chunk", "choices": [chunk], "usage": None}
        for chunk in chunks
    ]
    events.append(whole | {"object": "chat.completion.chunk", "choices": []})
    return "".join(f"data: {one}\n\n" for one in [*map(json.dumps, events), "[DONE]"]).encode()
