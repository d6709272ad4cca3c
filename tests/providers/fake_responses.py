"""A loopback server with the Responses API of OpenAI, behind which a script plays by pictures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.providers.posted_bodies import answering
from tests.providers.scripted_agent import read_sign


@contextmanager
def fake_responses() -> Iterator[tuple[str, list[str]]]:
    """Yields the base URL, and the pictures (data URIs) that the model has been sent."""
    seen: list[str] = []

    with answering(lambda body: _response(body, seen)) as url:
        yield url, seen


def _response(body: dict[str, Any], seen: list[str]) -> dict[str, Any]:
    tools = {tool["name"]: tool["parameters"] for tool in body["tools"]}
    results = [
        item["output"] for item in body["input"] if item.get("type") == "function_call_output"
    ]
    pictures = [
        part["image_url"]
        for result in results
        if isinstance(result, list)
        for part in result
        if part["type"] == "input_image"
    ]
    seen.extend(pictures[-1:])
    name, arguments = _next_call(tools, len(results), pictures)
    if name:
        output = {"type": "function_call", "id": f"fc_{len(results)}", "status": "completed",
                  "call_id": f"call_{len(results)}", "name": name,
                  "arguments": json.dumps(arguments)}  # fmt: skip
    else:
        text = {"type": "output_text", "text": "Done.", "annotations": []}
        output = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                  "content": [text]}  # fmt: skip
    usage = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12,
             "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
             "output_tokens_details": {"reasoning_tokens": 1}}  # fmt: skip
    return {"id": "r", "object": "response", "created_at": 0, "model": body["model"],
            "status": "completed", "output": [output], "parallel_tool_calls": False,
            "tool_choice": "auto", "tools": [], "usage": usage}  # fmt: skip


def _next_call(
    tools: dict[str, Any], calls: int, pictures: list[str]
) -> tuple[str, dict[str, Any]]:
    if calls == 0:
        return "look", {}
    if "report" in tools:
        if calls > 2:
            return "", {}
        data = pictures[-1].partition(",")[2] if pictures else ""
        return "report", read_sign(data, {"inputSchema": tools["report"]})
    if calls == 1:
        return "move_object", {"direction": "left"}
    if calls == 2:
        return "answer", {"category": tools["answer"]["properties"]["category"]["enum"][0]}
    return "", {}
