"""Renders a request with a model's chat template into a prompt text and its pictures."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL.Image import Image

from proactive_agent.providers.local.neutral import everywhere, markers, neutraliser
from proactive_agent.providers.local.text_only import TextProcessor
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Part,
    Request,
    TextPart,
    ToolFormat,
    ToolMessage,
    UserMessage,
    pictures_of,
)
from proactive_agent.providers.text_tools import as_plain_text, format_call, merged
from proactive_agent.providers.tool_result_images import move_images_out_of_results
from proactive_agent.settings import Sampling
from proactive_agent.tools import ToolCall
from proactive_agent.tools.render import for_chat_template


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A request in the form that the processor accepts."""

    text: str
    images: list[Image]
    sampling: Sampling
    seed: int

    @property
    def length(self) -> int:
        """Rough number of tokens.  Used only to batch prompts of similar length."""
        pictures = (min(max(i.width * i.height // 784, 64), 1280) for i in self.images)
        return len(self.text) // 4 + sum(pictures)


class Chat:
    """A model's chat template and its abilities: tools, a system prompt, parts in tool results."""

    def __init__(self, processor: Any, template: str) -> None:
        self.template = template
        self.processor = processor
        self._neutral = neutraliser(markers(_special_tokens(processor), template))
        self._results_as_parts = False
        # Templates of text-only models expect strings instead of lists of parts.
        self.text_only = isinstance(processor, TextProcessor)
        self.tool_format: ToolFormat = "native" if self._takes_tools() else "text"

    def prompt(self, request: Request) -> RenderedPrompt:
        """Renders the conversation and loads its pictures.  Raises the errors of the pictures."""
        images = [_load(p) for message in self._messages(request) for p in pictures_of(message)]
        return RenderedPrompt(self.text(request), images, request.sampling, request.seed)

    def text(self, request: Request) -> str:
        """Renders the conversation; each picture appears as the model's image placeholder."""
        turns = self._turns(request)
        native = self.tool_format == "native" and request.tools
        tools = for_chat_template(request.tools) if native else None
        return self._render(turns, everywhere(tools, self._neutral))

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
            turn["tool_calls"] = everywhere(calls, self._neutral)
        return turn

    def _content(self, content: Iterable[Part]) -> list[dict[str, Any]] | str:
        parts = self._parts(content)
        return "\n".join(part["text"] for part in parts) if self.text_only else parts

    def _parts(self, content: Iterable[Part]) -> list[dict[str, Any]]:
        """Content for a template.  Never empty, because some templates read the first part."""
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

    def _render(self, turns: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> str:
        text: str = self.processor.apply_chat_template(
            turns,
            tools=tools,
            chat_template=self.template,
            add_generation_prompt=True,
            tokenize=False,
        )
        return text

    @cached_property
    def _takes_system(self) -> bool:
        """Whether the template renders a system message."""
        import jinja2

        told = {"role": "system", "content": self._content((TextPart("what-it-is-told"),))}
        try:
            shown = self._render([told, self._turn(UserMessage((TextPart("question"),)))], None)
        except (jinja2.TemplateError, TypeError, KeyError):
            return False
        return "what-it-is-told" in shown

    def _takes_tools(self) -> bool:
        """Whether the template renders tools and tool results."""
        import jinja2.meta

        if "tools" not in jinja2.meta.find_undeclared_variables(_parsed(self.template)):
            return False
        call = ToolCall("probe", "{}", "call00000")
        messages: list[Message] = [
            UserMessage((TextPart("question"),)),
            AssistantMessage("", (call,)),
            ToolMessage(call, (TextPart("what-the-call-brought"),)),
        ]
        # Some templates expect the result of a call as a string, others as a list of parts.
        for as_parts in (False, True):
            self._results_as_parts = as_parts
            try:
                shown = self._render([self._turn(message) for message in messages], None)
            except (jinja2.TemplateError, TypeError, KeyError):
                continue
            if "what-the-call-brought" in shown:
                return True
        return False


def _parsed(template: str) -> Any:
    import jinja2

    # Jinja does not know the tag with which transformers marks generated text.
    known = re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", "", template)
    extensions = ["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    return jinja2.Environment(extensions=extensions, autoescape=False).parse(known)  # noqa: S701


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


def _load(part: ImagePart) -> Image:
    picture = part.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _special_tokens(processor: Any) -> set[str | None]:
    tokenizer = processor.tokenizer
    added = tokenizer.added_tokens_decoder.values()
    placeholders = (str(v) for k, v in vars(processor).items() if k.endswith("_token") and v)
    return {*tokenizer.all_special_tokens, *(t.content for t in added if t.special), *placeholders}
