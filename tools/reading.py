"""Parses a model's reply into an action.

- One valid call is the action of its tool.
- An invalid call (unknown tool, bad value, broken JSON, several calls at once) is `Invalid` with
  the reason. It is never repaired into another action. Ignored differences, such as case or a
  final full stop, are recorded in `notes`.
- A reply that the token limit cut off, and that therefore contains no readable call or text, is
  `Invalid` with the reason `cut_off`.
- A reply without a call is a message to the user. It is an `Answer` if it names exactly one
  category, `Abstain` if it gives up, and otherwise a `Question`.

The text of a model is data: it is parsed as JSON or searched, never evaluated.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from proactive_agent.tools.actions import Abstain, Action, Answer, Invalid, Question
from proactive_agent.tools.catalogue import Parameter, Tool
from proactive_agent.tools.phrases import LONGEST_READ, first_request, gives_up, length_notes
from proactive_agent.tools.secrets import redacted
from proactive_agent.tools.toolsets import Toolset

SHOWN = 200
"""Maximum number of characters of a faulty reply in a record."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model wrote it. `arguments` is unparsed JSON text."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The action of a reply. `via` says whether it came from a call or from the text."""

    action: Action | Question
    via: Literal["call", "text"]
    notes: tuple[str, ...] = ()


class TextCalls(NamedTuple):
    """The tool calls found in a text, and the rest of the text."""

    calls: tuple[ToolCall, ...]
    rest: str


def read_reply(
    text: str,
    calls: Sequence[ToolCall],
    toolset: Toolset,
    categories: Sequence[str],
    *,
    cut_off: bool = False,
) -> Reading:
    """Parses a reply. Never raises; an unreadable reply is `Invalid`.

    `cut_off` says that the token limit ended the reply.
    """
    reading = _read(text, calls, toolset, categories)
    if cut_off and isinstance(reading.action, Invalid) and reading.action.why != "several_calls":
        problem = f"{reading.action.why} {reading.action.detail}".strip()
        action = Invalid("cut_off", f"the token limit ended the reply ({problem})"[:SHOWN])
        return Reading(action, reading.via, reading.notes)
    return reading


def _read(
    text: str, calls: Sequence[ToolCall], toolset: Toolset, categories: Sequence[str]
) -> Reading:
    if len(calls) > 1:
        names = ", ".join(call.name for call in calls)
        return Reading(Invalid("several_calls", clean(names)[:SHOWN]), "call")
    if calls:
        return _read_call(calls[0], toolset)
    text = clean(text).strip()
    if not text:
        return Reading(Invalid("empty"), "text")
    named = categories_named(text, categories)
    notes = length_notes(text)
    if len(named) == 1:
        return Reading(Answer(named[0]), "text", notes)
    # "I cannot tell; please show me a clearer picture" wishes for something.
    abstains = gives_up(text) and not first_request(text).is_vague
    return Reading(Abstain(text) if abstains else Question(text), "text", notes)


_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL)
_UNTAGGED = re.compile(r"""\{\s*["'](?:name|arguments|parameters)["']\s*:""")
_DECODER = json.JSONDecoder()


def calls_in_text(text: str) -> TextCalls:
    """Finds calls of the text protocol: `<tool_call>{…}</tool_call>`, or bare JSON objects.

    A call with invalid JSON gets an empty name, and its text becomes `arguments`, so that
    `read_reply` reports it as invalid.
    """
    tagged = list(_TAGGED.finditer(text))
    if tagged:
        calls = tuple(_call(match[1].strip()) for match in tagged)
        return TextCalls(calls, _TAGGED.sub("", text).strip())
    found: list[ToolCall] = []
    rest: list[str] = []
    position = 0
    while start := _UNTAGGED.search(text, position):
        rest.append(text[position : start.start()])
        try:
            _, position = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            found.append(ToolCall("", text[start.start() :]))
            position = len(text)
        else:
            found.append(_call(text[start.start() : position]))
    rest.append(text[position:])
    return TextCalls(tuple(found), "".join(rest).strip())


def call_from(name: str, arguments: Mapping[str, str]) -> ToolCall:
    """Builds a well-formed call of the tool `name`."""
    return ToolCall(name, json.dumps(arguments), id=f"call-{name}")


def categories_named(text: str, categories: Sequence[str]) -> list[str]:
    """The categories that occur in a text as whole words. The longest name wins an overlap.

    Reads at most `LONGEST_READ` characters.
    """
    remaining = text[:LONGEST_READ].casefold()
    found = []
    for category in sorted(categories, key=len, reverse=True):
        name = re.escape(category.removesuffix(".").strip().casefold())
        if not name:
            continue
        remaining, count = re.subn(rf"(?<!\w){name}(?!\w)", "\0", remaining)
        if count:
            found.append(category)
    return found


def clean(text: str) -> str:
    """Returns an untrusted text as it may be kept and shown.

    Known secrets are replaced by their names, and lone surrogates, which files and terminals cannot
    encode, by question marks.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return redacted(text)


def _call(body: str) -> ToolCall:
    """Parses the text between the marks of a call."""
    try:
        value = _DECODER.decode(body)
    except (ValueError, RecursionError):
        return ToolCall("", body)
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return ToolCall("", body)
    arguments = value.get("arguments", value.get("parameters", {}))
    # Some models write the arguments as a JSON string, like the OpenAI API.
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(value["name"], written)


def _read_call(call: ToolCall, toolset: Toolset) -> Reading:
    notes: list[str] = []
    try:
        arguments = _parse_arguments(call.arguments, notes)
    except _JSONError as error:
        return Reading(Invalid("bad_json", clean(str(error))), "call")
    tool = toolset.find(call.name)
    if tool is None:
        return Reading(Invalid("unknown_tool", clean(call.name)[:SHOWN]), "call")
    try:
        checked = _check_arguments(tool, arguments, notes)
    except _ArgumentsError as error:
        return Reading(Invalid("bad_arguments", clean(str(error))[:SHOWN]), "call")
    action = tool.to_action(checked)
    if isinstance(action, Question):
        notes += length_notes(action.text)
    return Reading(action, "call", tuple(notes))


class _JSONError(Exception):
    """The arguments are not valid JSON."""


class _ArgumentsError(Exception):
    """The arguments do not match the tool's schema."""


def _parse_arguments(written: str, notes: list[str]) -> Any:
    if not written.strip():
        notes.append("no arguments were written; read as {}")
        return {}
    try:
        return json.loads(written, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        near = written[max(0, error.pos - 40) : error.pos + 40]
        raise _JSONError(f"{error.msg} at character {error.pos}: {near}") from None
    except (ValueError, RecursionError) as error:
        raise _JSONError(f"{error}"[:SHOWN]) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError(f"a key stands twice: {[key for key, _ in pairs]}")
    return value


def _check_arguments(tool: Tool, arguments: Any, notes: list[str]) -> dict[str, str]:
    if arguments is None:
        notes.append("null arguments; read as {}")
        arguments = {}
    if not isinstance(arguments, dict):
        raise _ArgumentsError(f"{tool.name} takes an object, not {json.dumps(arguments)}")
    known = {parameter.name: parameter for parameter in tool.parameters}
    if unknown := [name for name in arguments if name not in known]:
        raise _ArgumentsError(f"{tool.name} has no parameter {', '.join(unknown)}")
    checked = {}
    for parameter in tool.parameters:
        if parameter.name in arguments:
            checked[parameter.name] = _check_value(
                tool, parameter, arguments[parameter.name], notes
            )
        elif parameter.required:
            raise _ArgumentsError(f"{tool.name} needs {parameter.name}")
    return checked


def _check_value(tool: Tool, parameter: Parameter, value: Any, notes: list[str]) -> str:
    if not isinstance(value, str):
        raise _ArgumentsError(f"{tool.name}.{parameter.name} is no text: {json.dumps(value)}")
    written: str = clean(value)
    if not parameter.choices or written in parameter.choices:
        return written
    alike = [choice for choice in parameter.choices if _plain(choice) == _plain(written)]
    if len(alike) != 1:
        raise _ArgumentsError(
            f"{tool.name}.{parameter.name} is one of {', '.join(parameter.choices)}; not {written}"
        )
    notes.append(f"{parameter.name} {written!r} read as {alike[0]!r}")
    return alike[0]


def _plain(value: str) -> str:
    return value.strip().removesuffix(".").strip().casefold()
