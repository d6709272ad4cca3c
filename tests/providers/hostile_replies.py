"""Response bodies in the three API formats, as in their reference documentation."""

import json
from itertools import islice
from typing import Any

Body = dict[str, Any]


def error(path: str, message: str, code: str = "") -> str:
    """The body of an error response."""
    if path.endswith("/messages"):
        kind = code or "invalid_request_error"
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}})
    return json.dumps({"error": {"message": message, "type": "error", "code": code or None}})


def reply(
    path: str,
    body: Body,
    *,
    calls: int = 1,
    tool: str | None = None,
    arguments: str | None = None,
    text: str = "",
    refusal: str = "",
    stop: str = "",
    empty: bool = False,
    usage: bool = True,
    thinking: bool = False,
    reasoned: int = 5,
    used: int = 15,
    silent: bool = False,
) -> Body:
    """A reply that calls the first tool, or `answer` once a second picture has been shown.

    Requests without tools are answered in words. The usage reports `reasoned` tokens of reasoning
    and `used` others. A `silent` reply has neither text nor calls.
    """
    name, given = _call(body)
    if name is None:
        calls, text = 0, text or "A."
    if silent:
        calls, text = 0, ""
    wanted = (tool or name or "", arguments if arguments is not None else json.dumps(given))
    made = [wanted] * calls
    tokens = (used, reasoned) if usage else None
    if path.endswith("/messages"):
        return _message(
            made, text or refusal, "refusal" if refusal else stop, empty, tokens, thinking
        )
    if path.endswith("/responses"):
        return _response(made, text, refusal, stop, empty, tokens, thinking)
    return _completion(made, text, refusal, stop, empty, tokens, thinking)


_PLACES: dict[str, dict[str, tuple[str | int, ...]]] = {
    "completions": {
        "text": ("choices", 0, "message", "content"),
        "finish": ("choices", 0, "finish_reason"),
        "name": ("choices", 0, "message", "tool_calls", 0, "function", "name"),
        "id": ("choices", 0, "message", "tool_calls", 0, "id"),
        "tokens": ("usage", "completion_tokens"),
    },
    "responses": {
        "text": ("output", 0, "content", 0, "text"),
        "finish": ("incomplete_details", "reason"),
        "name": ("output", 0, "name"),
        "id": ("output", 0, "call_id"),
        "tokens": ("usage", "output_tokens"),
    },
    "messages": {
        "text": ("content", 0, "text"),
        "finish": ("stop_reason",),
        "name": ("content", 0, "name"),
        "id": ("content", 0, "id"),
        "tokens": ("usage", "output_tokens"),
    },
}


def wrong(path: str, body: Body, field: str, value: Any) -> Body:
    """A reply in which one field has another value. Fields are the keys of `_PLACES`."""
    made = reply(path, body, calls=0, text="Hm.") if field == "text" else reply(path, body)
    *way, last = _PLACES[path.rsplit("/", 1)[1]][field]
    place: Any = made
    for step in way:
        if isinstance(place, dict) and place[step] is None:
            place[step] = {}
        place = place[step]
    place[last] = value
    return made


def through_gateway(path: str, body: Body) -> Body:
    """A reply that names what served it."""
    served = {"model": "m-2026", "system_fingerprint": "fp_1", "provider": "Upstream"}
    return reply(path, body) | served


def failed_upstream(path: str, body: Body) -> Body:
    """A gateway's reply with HTTP 200 for a model that failed behind it."""
    made = reply(path, body, calls=0, text="Hm.")
    if path.endswith("/messages"):
        error = {"type": "overloaded_error", "message": "upstream"}
        return {"type": "error", "error": error}
    if path.endswith("/responses"):
        error = {"code": "server_error", "message": "upstream"}
        return made | {"status": "failed", "error": error, "output": []}
    made["choices"][0] |= {"finish_reason": "error", "message": {"role": "assistant"}}
    return made


def with_error(path: str, body: Body, error: Any, place: str = "beside choices") -> Body:
    """A reply with HTTP 200 that reports an error.

    In Chat Completions, `place` is `alone`, `beside choices` or `in a choice`.
    """
    made = reply(path, body, calls=0, text="Hm.")
    if path.endswith("/messages"):
        return {"type": "error", "error": error}
    if path.endswith("/responses"):
        return made | {"status": "failed", "error": error, "output": []}
    if place == "alone":
        return {"error": error}
    made["choices"][0]["message"] = {"role": "assistant", "content": None}
    (made["choices"][0] if place == "in a choice" else made)["error"] = error
    return made


def _completion(
    calls: list[tuple[str, str]],
    text: str,
    refusal: str,
    stop: str,
    empty: bool,
    tokens: tuple[int, int] | None,
    thinking: bool,
) -> Body:
    message: Body = {"role": "assistant", "content": text or None, "refusal": refusal or None}
    if thinking:
        message["reasoning_content"] = "Hm."
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": a}}
            for i, (n, a) in enumerate(calls)
        ]
    reason = stop or ("tool_calls" if calls else "stop")
    body: Body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [] if empty else [{"index": 0, "message": message, "finish_reason": reason}],
    }
    if tokens:
        body["usage"] = {
            "prompt_tokens": 1000,
            "completion_tokens": sum(tokens),
            "total_tokens": 1020,
            "prompt_tokens_details": {"cached_tokens": 400},
            "completion_tokens_details": {"reasoning_tokens": tokens[1]},
        }
    return body


def _response(
    calls: list[tuple[str, str]],
    text: str,
    refusal: str,
    stop: str,
    empty: bool,
    tokens: tuple[int, int] | None,
    thinking: bool,
) -> Body:
    output: list[Body] = []
    if thinking:
        output.append(
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed",
             "status": "completed"}
        )  # fmt: skip
    parts = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    parts += [{"type": "refusal", "refusal": refusal}] if refusal else []
    if parts:
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "content": parts})
    output += [
        {"type": "function_call", "id": f"fc_{i}", "call_id": f"call_{i}", "name": n,
         "arguments": a, "status": "completed"}
        for i, (n, a) in enumerate(calls)
    ]  # fmt: skip
    why = {"length": "max_output_tokens"}.get(stop, stop)
    body: Body = {
        "id": "resp_1",
        "object": "response",
        "status": "incomplete" if why else "completed",
        "incomplete_details": {"reason": why} if why else None,
        "error": None,
        "output": [] if empty else output,
    }
    if tokens:
        body["usage"] = {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400},
            "output_tokens": sum(tokens),
            "output_tokens_details": {"reasoning_tokens": tokens[1]},
            "total_tokens": 1020,
        }
    return body


def _message(
    calls: list[tuple[str, str]],
    text: str,
    stop: str,
    empty: bool,
    tokens: tuple[int, int] | None,
    thinking: bool,
) -> Body:
    content: list[Body] = []
    if thinking:
        content.append({"type": "thinking", "thinking": "Hm.", "signature": "signed"})
    if text:
        content.append({"type": "text", "text": text})
    content += [
        {"type": "tool_use", "id": f"call_{i}", "name": name, "input": _loaded(written)}
        for i, (name, written) in enumerate(calls)
    ]
    reasons = {"length": "max_tokens", "content_filter": "refusal"}
    body: Body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": reasons.get(stop, stop) or ("tool_use" if calls else "end_turn"),
    }
    if empty:
        del body["content"]
    if tokens:
        body["usage"] = {
            "input_tokens": 500,
            "cache_read_input_tokens": 400,
            "cache_creation_input_tokens": 100,
            "output_tokens": sum(tokens),
            "output_tokens_details": {"thinking_tokens": tokens[1]},
        }
    return body


def _loaded(written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        return written


def _call(body: Body) -> tuple[str | None, dict[str, str]]:
    """Calls the first tool until the request contains a second picture, then `answer`."""
    found = [tool.get("function", tool) for tool in body.get("tools", ())]
    if not found:
        return None, {}
    seen = len(list(islice(_pictures(body.get("messages") or body.get("input")), 2)))
    chosen = found[0] if seen < 2 else next(t for t in found if t["name"] == "answer")
    schema = chosen.get("parameters") or chosen["input_schema"]
    values = {
        name: (field.get("enum") or ["?"])[0]
        for name, field in schema["properties"].items()
        if name in schema["required"]
    }
    return chosen["name"], values


def shows_picture(body: Body) -> bool:
    """Whether a request has a picture."""
    return any(_pictures(body.get("messages") or body.get("input")))


def _pictures(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("type") in ("image", "image_url", "input_image"):
            yield value
        for inner in value.values():
            if isinstance(inner, list | dict):
                yield from _pictures(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pictures(inner)
