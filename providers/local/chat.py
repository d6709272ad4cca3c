"""Renders a request with a model's chat template into a prompt text and its pictures."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from PIL import Image

from proactive_agent.providers.local.call_formats import JSON, call_formats
from proactive_agent.providers.local.rendering import Template
from proactive_agent.providers.local.special_marks import map_strings, markers, neutraliser
from proactive_agent.providers.local.templates import FALLBACKS, ONE_PICTURE
from proactive_agent.providers.local.text_only import TextProcessor
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Part,
    Reply,
    Request,
    RequestKey,
    TextPart,
    ToolFormat,
    ToolMessage,
    UserMessage,
    pictures_of,
)
from proactive_agent.providers.text_tools import (
    as_plain_text,
    format_call,
    merged,
    reply_from_text,
)
from proactive_agent.providers.thoughts import MARKS, begins_after, begins_inside, separated
from proactive_agent.providers.tool_result_images import move_images_out_of_results
from proactive_agent.settings import Sampling
from proactive_agent.tools import ToolCall
from proactive_agent.tools.catalogue import ASK_CLARIFICATION, answer_tool, intervention_tool
from proactive_agent.tools.render import for_chat_template


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A request in the form that the processor accepts."""

    text: str
    pictures: tuple[ImagePart, ...]
    sampling: Sampling
    seed: int
    sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of each picture in pixels; empty before they are known."""

    @property
    def images(self) -> list[Image.Image]:
        """The pictures in RGB. Raises their errors."""
        return [load_picture(picture) for picture in self.pictures]

    @property
    def length(self) -> int:
        """Rough number of tokens. Used only to batch prompts of similar length."""
        pictures = (min(max(width * height // 784, 64), 1280) for width, height in self.sizes)
        return len(self.text) // 4 + sum(pictures)


class Chat:
    """A model's chat template and its abilities, which are tried when the model is loaded.

    `family` is the `model_type` of the model, `options` are variables for the template.
    """

    def __init__(
        self,
        processor: Any,
        template: str,
        *,
        family: str = "",
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.processor = processor
        self._template = Template(processor, template, options)
        # Templates of text-only models expect strings instead of lists of parts.
        self.text_only = isinstance(processor, TextProcessor)
        self._as_strings = self.text_only
        self._results_as_parts = False
        self.tool_format: ToolFormat = "text"
        self.call_format = JSON
        self._begin()
        self.fault = "" if self.text_only else self._adapt_to_pictures(family)
        """The reason why the template cannot show a picture; empty if it can."""
        self.max_pictures = 0 if self.text_only else self._count_pictures(family)
        """The most pictures in a request; None if there is no known limit."""
        self.text_tools_reason = self._try_native_tools(family)
        """The reason why tools are offered as text; empty if they are offered natively."""
        special = special_tokens(processor.tokenizer)
        self._special = re.compile("|".join(map(re.escape, special))) if special else None
        thinks = any(mark.strip() in special for pair in MARKS for mark in pair)
        self.keeps_special = self.call_format.keeps_special or thinks
        """Whether `reply` needs a text with special tokens."""

    @property
    def template(self) -> str:
        """The source of the chat template."""
        return self._template.source

    @property
    def mark(self) -> str:
        """What stands for a picture in a rendered text; empty if it is not known."""
        return self._template.mark

    @property
    def options(self) -> Mapping[str, Any]:
        """The variables that the template gets."""
        return self._template.options

    @property
    def inserts_date(self) -> bool:
        """Whether the template inserts a date, which is `rendering.DATE`."""
        return self._template.inserts_date

    @cached_property
    def thinks(self) -> bool:
        """Whether the model thinks before it replies, as far as the template and options show.

        It does if the prompt opens a thought. A template with the switch `enable_thinking` also
        thinks if its prompt differs from the one with the switch off. A template without it
        also thinks if it renders the thoughts of earlier replies.
        """
        turns = [self._turn(UserMessage((TextPart("question"),)))]
        try:
            prompt = self._template.render(turns, None)
            if begins_inside(prompt):
                return True
            if begins_after(prompt):
                return False
            if _SWITCH not in self.template:
                return "reasoning_content" in self.template
            off = Template(self.processor, self.template, {**self.options, _SWITCH: False})
            return prompt != off.render(turns, None)
        except _TEMPLATE_ERRORS:
            return False

    def prompt(self, request: Request) -> RenderedPrompt:
        """Renders the conversation. Its pictures are not loaded."""
        messages = self._messages(request)
        pictures = tuple(part for message in messages for part in pictures_of(message))
        return RenderedPrompt(self.text(request), pictures, request.sampling, request.seed)

    def text(self, request: Request) -> str:
        """Renders the conversation; each picture appears as the model's image placeholder."""
        return self._template.render(self._turns(request), self._tools(request))

    def reply(self, written: str, *, tools: bool, turn: int = 0, prompt: str = "") -> Reply:
        """Parses generated text; tool calls are searched only if `tools` were offered.

        `prompt` is the rendered text that the model continued. The thoughts of the model are
        not part of the reply's text; they are its `opaque` field.
        """
        text, thoughts = separated(written, inside=begins_inside(prompt))
        reply = reply_from_text(text, tools=tools, turn=turn, read=self.call_format.read)
        if self.keeps_special and self._special:
            reply = replace(reply, text=self._special.sub("", reply.text).strip())
        return replace(reply, opaque=thoughts or None)

    def _tools(self, request: Request) -> list[dict[str, Any]] | None:
        if self.tool_format == "text" or not request.tools:
            return None
        tools: list[dict[str, Any]] = map_strings(for_chat_template(request.tools), self._neutral)
        return tools

    def _turns(self, request: Request) -> list[dict[str, Any]]:
        messages = self._messages(request)
        if not request.system:
            return [self._turn(message) for message in messages]
        system_text = (TextPart(request.system),)
        if self._takes_system:
            system = {"role": "system", "content": self._content(system_text)}
            return [system, *(self._turn(message) for message in messages)]
        return [self._turn(message) for message in merged([UserMessage(system_text), *messages])]

    def _messages(self, request: Request) -> list[Message]:
        """The messages in a form that the template supports."""
        if self.tool_format == "native":
            return merged(map(_readable, move_images_out_of_results(request.messages)))
        return [*as_plain_text(request.messages, request.tools)]

    def _turn(self, message: Message) -> dict[str, Any]:
        if isinstance(message, UserMessage):
            return {"role": "user", "content": self._content(message.content)}
        if isinstance(message, ToolMessage):
            parts = self._parts(message.content)
            text = "\n".join(part["text"] for part in parts)
            content = parts if self._results_as_parts and not self.text_only else text
            call = message.call
            return {"role": "tool", "name": call.name, "tool_call_id": call.id, "content": content}
        fields = [_native_call(call) for call in message.tool_calls]
        # Templates need calls with a JSON object as arguments; other calls become text.
        unreadable = [
            format_call(c) for c, f in zip(message.tool_calls, fields, strict=True) if not f
        ]
        text = "\n".join(t for t in (message.text, *unreadable) if t)
        turn: dict[str, Any] = {"role": "assistant", "content": self._content((TextPart(text),))}
        if calls := [f for f in fields if f]:
            turn["tool_calls"] = map_strings(calls, self._neutral)
            if isinstance(message.opaque, str):
                # Some models expect the thoughts that led to a call.
                turn["reasoning_content"] = self._neutral(message.opaque)
        return turn

    def _content(self, content: Iterable[Part]) -> list[dict[str, Any]] | str:
        parts = self._parts(content)
        if not self._as_strings:
            return parts
        return "".join(part.get("text", self._template.mark) for part in parts)

    def _parts(self, content: Iterable[Part]) -> list[dict[str, Any]]:
        """Content for a template. Never empty, because some templates read the first part."""
        parts: list[dict[str, Any]] = []
        for part in content:
            if isinstance(part, ImagePart):
                parts.append({"type": "image"})
            elif parts and parts[-1]["type"] == "text":
                parts[-1]["text"] += "\n" + part.text
            else:
                parts.append({"type": "text", "text": part.text})
        # After joining, because a marker could form where two texts meet.
        for rendered in parts:
            if "text" in rendered:
                rendered["text"] = self._neutral(rendered["text"])
        return parts or [{"type": "text", "text": ""}]

    @cached_property
    def _takes_system(self) -> bool:
        """Whether the template renders a system message."""
        told = {"role": "system", "content": self._content((TextPart("what-it-is-told"),))}
        try:
            turns = [told, self._turn(UserMessage((TextPart("question"),)))]
            return "what-it-is-told" in self._template.render(turns, None)
        except _TEMPLATE_ERRORS:
            return False

    def _begin(self) -> None:
        """Collects the marks of the template, which texts that are sent must not contain."""
        marks = markers(_marks_of(self.processor), self._template.source)
        self._neutral = neutraliser(marks)

    def _adapt_to_pictures(self, family: str) -> str:
        """Finds a form of content with which the template shows a picture; returns why none does.

        The forms are a list of parts, and a string with a mark for each picture. If neither
        works, the built-in template of the family is used.
        """
        reasons = []
        for source in dict.fromkeys((self._template.source, FALLBACKS.get(family, ""))):
            if not source:
                continue
            self._template = Template(self.processor, source, self._template.options)
            self._begin()
            for self._as_strings in (False, True):
                problem = self._picture_problem(1, family)
                if not problem:
                    return ""
                reasons.append(problem)
        self._as_strings = False
        return reasons[0]

    def _count_pictures(self, family: str) -> int | None:
        if family in ONE_PICTURE or self._picture_problem(2, family):
            return 1
        return None

    def _picture_problem(self, count: int, family: str) -> str:
        """Renders a conversation of `count` turns with a picture each; returns what is wrong."""
        asked = UserMessage((_PICTURE, TextPart("what-is-asked")))
        messages: list[Message] = [asked]
        for _ in range(count - 1):
            messages += [AssistantMessage("reply"), asked]
        try:
            text = self._template.render([self._turn(message) for message in messages], None)
        except _TEMPLATE_ERRORS as error:
            return f"its chat template fails for a picture ({_one_line(error)})"
        if "what-is-asked" not in text:
            return "its chat template does not show what the user says"
        # Without a mark nothing can be counted; some processors add the picture themselves.
        if (
            not self._template.mark
            or family in ONE_PICTURE
            or text.count(self._template.mark) == count
        ):
            return ""
        return f"its chat template writes {self._template.mark} for a picture not once"

    def _try_native_tools(self, family: str) -> str:
        """Chooses native tools if they work with this template; returns why they do not."""
        if not self._template.takes_tools:
            return "the chat template takes no tools"
        self.tool_format = "native"
        problems = []
        # Some templates expect the result of a call as a string, others as a list of parts.
        for self._results_as_parts in (False, True):
            problem = self._tool_problem()
            if not problem:
                break
            problems.append(problem)
        else:
            self.tool_format, self._results_as_parts = "text", False
            return problems[0]
        for call_format in call_formats(self.processor.tokenizer, family, self.template):
            self.call_format = call_format
            if all(self._reads_back(call) for call in _CALLS):
                return ""
        self.tool_format, self.call_format = "text", JSON
        return "a call that the chat template writes cannot be read back"

    def _tool_problem(self) -> str:
        """Renders a conversation with tools and pictures; returns what is wrong."""
        picture = () if self.text_only else (_PICTURE,)
        call = _CALLS[0]
        messages: tuple[Message, ...] = (
            UserMessage((*picture, TextPart("what-is-asked"))),
            AssistantMessage("", (call,)),
            ToolMessage(call, (TextPart("what-the-call-brought"), *picture)),
        )
        request = _request(messages)
        try:
            text = self.text(request)
        except _TEMPLATE_ERRORS as error:
            return f"the chat template fails with tools ({_one_line(error)})"
        if "what-the-call-brought" not in text:
            return "the chat template does not show what a call returned"
        if any(tool.name not in text for tool in _TOOLS):
            return "the chat template does not show the tools"
        if picture and self._template.mark and text.count(self._template.mark) != 2:
            return "with tools, the chat template loses pictures"
        return ""

    def _reads_back(self, call: ToolCall) -> bool:
        """Whether a call that the template writes is read as this call."""
        request = _request((UserMessage((TextPart("question"),)),))
        tokenizer, tools = self.processor.tokenizer, self._tools(request)
        turns = self._turns(request)
        called = [*turns, self._turn(AssistantMessage("", (call,)))]
        try:
            prompt = self._template.render(turns, tools)
            whole = self._template.render(called, tools, reply_follows=False)
        except _TEMPLATE_ERRORS:
            return False
        if not whole.startswith(prompt):
            # The reply is not rendered as it is written, for example without its thoughts.
            same = (a == b for a, b in zip(prompt, whole, strict=False))
            alike = prompt[: sum(itertools.takewhile(bool, same))]
            prompt = alike[: max(map(alike.rfind, "\n>]")) + 1]
        ids = tokenizer.encode(whole[len(prompt) :], add_special_tokens=False)
        skip = not self.call_format.keeps_special
        text, _ = separated(
            tokenizer.decode(ids, skip_special_tokens=skip), inside=begins_inside(prompt)
        )
        found = self.call_format.read(text).calls
        return [_native_call(one) for one in found] == [_native_call(replace(call, id=""))]


def _readable(message: Message) -> Message:
    """Turns the result of an unreadable call into a user message; the template cannot show it."""
    if isinstance(message, ToolMessage) and _native_call(message.call) is None:
        return UserMessage(message.content)
    return message


def _native_call(call: ToolCall) -> dict[str, Any] | None:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    if not call.name or not isinstance(arguments, dict):
        return None
    function = {"name": call.name, "arguments": arguments}
    return {"type": "function", "id": call.id, "function": function}


def load_picture(part: ImagePart) -> Image.Image:
    """Returns a picture in RGB. Raises its errors."""
    picture = part.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def special_tokens(tokenizer: Any) -> list[str]:
    """The texts of a tokenizer's special tokens, the longest first."""
    added = (t.content for t in tokenizer.added_tokens_decoder.values() if t.special)
    return sorted({*tokenizer.all_special_tokens, *added}, key=len, reverse=True)


def _marks_of(processor: Any) -> set[str | None]:
    placeholders = (str(v) for k, v in vars(processor).items() if k.endswith("_token") and v)
    return {*special_tokens(processor.tokenizer), *placeholders}


def _request(messages: tuple[Message, ...]) -> Request:
    return Request(RequestKey("probe", 0, 0), messages, tools=_TOOLS)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# Name of the variable with which several families switch thinking off or on.
_SWITCH = "enable_thinking"
# Templates are programs: they raise whatever Python raises.
_TEMPLATE_ERRORS = (Exception,)
_PICTURE = ImagePart("probe", lambda: Image.new("RGB", (28, 28)))
_TOOLS = (answer_tool(["a cat"]), ASK_CLARIFICATION, intervention_tool("rotate_object"))
_CALLS = (
    ToolCall("answer", '{"category": "a cat"}', "call00000"),
    ToolCall(
        "ask_clarification", json.dumps({"question": 'Is it "A", {B}\nor \u00e9?'}), "call00000"
    ),
    ToolCall("rotate_object", "{}", "call00000"),
)
"""Calls with which reading back is tried: a choice, difficult text, and no arguments."""
