"""The forms in which models write tool calls, and readers for them.

A chat template shows a model its earlier calls in the model's own form, so the model writes new
ones in this form as well. Native tools need a reader of this form.

| reader | form |
| --- | --- |
| JSON | `<tool_call>{"name": "move", "arguments": {"to": "left"}}</tool_call>`, or without marks |
| GLM | `<tool_call>move<arg_key>to</arg_key><arg_value>left</arg_value></tool_call>` |
| Mistral | `[TOOL_CALLS]move[ARGS]{"to": "left"}`, or a JSON list after the mark |
| LFM2 | `<|tool_call_start|>[move(to='left')]<|tool_call_end|>` |
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from proactive_agent.tools import ToolCall, calls_in_text
from proactive_agent.tools.reading import TextCalls


class CallFormat(NamedTuple):
    """A reader of tool calls."""

    name: str
    """Name of the reader in the manifest."""
    read: Callable[[str], TextCalls]
    keeps_special: bool
    """Whether the text must contain the special tokens, because they delimit the calls."""


JSON = CallFormat("JSON", calls_in_text, keeps_special=False)
"""A JSON object, with or without `<tool_call>` around it."""


def call_formats(tokenizer: Any, family: str, template: str) -> Iterator[CallFormat]:
    """The readers to try for a model.

    The forms whose mark occurs in the chat template come first. The last one is the response
    template that the tokenizer contains, or that transformers contains for the `model_type` given
    as `family`.
    """
    for mark, call_format in _MARKED.items():
        if mark in template:
            yield call_format
    yield JSON
    yield JSON._replace(keeps_special=True)
    response = getattr(tokenizer, "response_template", None) or _shipped_template(family)
    if response and hasattr(tokenizer, "parse_response"):
        yield CallFormat(
            "response template",
            lambda text: _read_with_template(tokenizer, response, text),
            keeps_special=True,
        )


def _read_marked(text: str, pattern: re.Pattern[str], read: Callable[[str], Any]) -> TextCalls:
    """Reads each match of `pattern`, whose group `body` holds the calls.

    `read` returns the calls of a body as pairs of a name and arguments, or raises ValueError. A
    body that is malformed or cut off becomes a call without a name, as in `calls_in_text`. A model
    may still write a call in the most common form, so a text without a match is read as that.
    """
    found: list[ToolCall] = []
    for match in pattern.finditer(text):
        body = match["body"].strip()
        try:
            if match["end"] is None:
                raise ValueError("the call is cut off")
            found += [ToolCall(name, json.dumps(arguments)) for name, arguments in read(body)]
        except (ValueError, RecursionError):
            inner = calls_in_text(body) if match["end"] is not None else TextCalls((), body)
            found += inner.calls or (ToolCall("", body),)
    return TextCalls(tuple(found), pattern.sub("", text).strip()) if found else calls_in_text(text)


_GLM = re.compile(
    r"<tool_call>(?P<body>.*?)(?:(?P<end></tool_call>)|(?=<tool_call>)|\Z)", re.DOTALL
)
_GLM_PAIR = re.compile(r"\s*<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>\s*", re.DOTALL)


def _glm_calls(body: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The call of a body. Each value is a text, as each argument of the benchmark's tools is."""
    name = re.match(r"[\w.-]+", body)
    if not name:
        raise ValueError("the call has no name")
    yield name[0], _object(_scanned(_GLM_PAIR, body, name.end(), len(body)))


_MISTRAL = re.compile(r"\[TOOL_CALLS\](?P<body>.*?)(?P<end>(?=\[TOOL_CALLS\])|\Z)", re.DOTALL)
_MISTRAL_NAME = re.compile(r"([\w.-]+)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\]\s*)?")


def _mistral_calls(body: str) -> Iterator[tuple[str, Any]]:
    name = _MISTRAL_NAME.match(body)
    # Special tokens, such as the end of the reply, may follow the JSON value.
    value, _ = json.JSONDecoder().raw_decode(body, name.end() if name else 0)
    if name:
        yield name[1], value
        return
    for call in value if isinstance(value, list) else [value]:
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise ValueError("the call has no name")
        yield call["name"], call.get("arguments", {})


_LFM2 = re.compile(
    r"<\|tool_call_start\|>(?P<body>.*?)"
    r"(?:(?P<end><\|tool_call_end\|>)|(?=<\|tool_call_start\|>)|\Z)",
    re.DOTALL,
)
_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_LFM2_ARGUMENT = re.compile(rf"\s*(\w+)\s*=\s*({_TEXT}|[\w.+-]+)\s*(?:,|(?=\)))", re.DOTALL)
_LFM2_CALL = re.compile(rf"\s*([\w.-]+)\(((?:{_TEXT}|[^'\"()])*)\)\s*(?:,|(?=\]))", re.DOTALL)
_CONSTANTS = {"True": True, "False": False, "None": None}


def _lfm2_calls(body: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls of a list in the syntax of Python, which is read and never run."""
    if not (body.startswith("[") and body.endswith("]")):
        raise ValueError("the calls are not in a list")
    for name, arguments in _scanned(_LFM2_CALL, body, 1, len(body) - 1):
        pairs = _scanned(_LFM2_ARGUMENT, f"{arguments})", 0, len(arguments))
        yield name, _object((key, _python_value(value)) for key, value in pairs)


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


def _python_value(written: str) -> Any:
    if written[0] in "'\"":
        return _ESCAPE.sub(
            lambda code: (
                _ESCAPED.get(code[3], code[0]) if code[3] else chr(int(code[1] or code[2], 16))
            ),
            written[1:-1],
        )
    return _CONSTANTS[written] if written in _CONSTANTS else json.loads(written)


def _scanned(
    pattern: re.Pattern[str], text: str, start: int, end: int
) -> Iterator[tuple[str, str]]:
    """The two groups of consecutive matches. Raises ValueError if anything else is between them."""
    while text[start:end].strip():
        match = pattern.match(text, start)
        if not match:
            raise ValueError(f"unexpected text at character {start}")
        yield match[1], match[2]
        start = match.end()


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of pairs. Raises ValueError if a key occurs twice, as in JSON arguments."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key} occurs twice")
        found[key] = value
    return found


def _marked(
    name: str,
    pattern: re.Pattern[str],
    read: Callable[[str], Iterable[tuple[str, Any]]],
) -> CallFormat:
    return CallFormat(name, lambda text: _read_marked(text, pattern, read), keeps_special=True)


_MARKED = {
    "<arg_key>": _marked("GLM", _GLM, _glm_calls),
    "[TOOL_CALLS]": _marked("Mistral", _MISTRAL, _mistral_calls),
    "<|tool_call_start|>": _marked("LFM2", _LFM2, _lfm2_calls),
}
"""Readers by a mark in the chat templates of the models that write calls in this form."""


def _shipped_template(family: str) -> Any:
    try:
        from transformers.cli.serving import utils
    except Exception:  # an extra of transformers, or a release without it
        return None
    shipped: dict[tuple[str, ...], Any] = getattr(utils, "_RESPONSE_TEMPLATE_FALLBACKS", {})
    return next((template for families, template in shipped.items() if family in families), None)


def _read_with_template(tokenizer: Any, template: Any, text: str) -> TextCalls:
    try:
        parsed = tokenizer.parse_response(text, template, prefix="")
        calls = tuple(_call(found["function"]) for found in parsed.get("tool_calls") or ())
    except Exception:
        # Only the content of a call can be malformed.
        return TextCalls((ToolCall("", text.strip()),), "")
    if calls and len(calls) > _ended_calls(template, text):
        # The parser of transformers completes a call that was cut off; the model did not.
        calls = (*calls[:-1], ToolCall("", text.strip()))
    # A model may still write a call in the most common form.
    return TextCalls(calls, str(parsed.get("content") or "")) if calls else calls_in_text(text)


def _ended_calls(template: Any, text: str) -> float:
    """How many calls in a text have an end; infinite if the template does not say how they end."""
    field = template["fields"]["tool_calls"]
    if pattern := field.get("close_pattern"):
        return len(re.findall(pattern, text, re.DOTALL))
    ends = field.get("close") or ()
    ends = [ends] if isinstance(ends, str) else ends
    return sum(map(text.count, ends)) if ends else math.inf


def _call(function: dict[str, Any]) -> ToolCall:
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(str(function["name"]), text)
