"""The forms in which models write tool calls, and readers for them.

A chat template shows a model its earlier calls in the model's own form, so the model writes new
ones in this form as well. Native tools need a reader of this form.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
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


def call_formats(tokenizer: Any, family: str) -> Iterator[CallFormat]:
    """The readers to try for a model, the simplest first.

    The last one is the response template that the tokenizer contains, or that transformers
    contains for the `model_type` given as `family`.
    """
    yield JSON
    yield JSON._replace(keeps_special=True)
    template = getattr(tokenizer, "response_template", None) or _shipped_template(family)
    if template and hasattr(tokenizer, "parse_response"):
        yield CallFormat(
            "response template",
            lambda text: _read_with_template(tokenizer, template, text),
            keeps_special=True,
        )


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
