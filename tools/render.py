"""Formats tools for APIs, chat templates and the text protocol."""

import json
from collections.abc import Sequence
from typing import Any

from proactive_agent.tools.catalogue import Parameter, Tool
from proactive_agent.tools.texts import TEXT_PROTOCOL


def for_openai(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The `tools` of Chat Completions. Chat templates of transformers use the same format."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema(),
            },
        }
        for tool in tools
    ]


for_chat_template = for_openai


def for_anthropic(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The `tools` of Anthropic's Messages API."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": tool.schema()}
        for tool in tools
    ]


def as_text(tools: Sequence[Tool]) -> str:
    """The text protocol for models without tool calling: the list of tools and the call syntax."""
    lines = []
    for tool in tools:
        arguments = ", ".join(_signature(parameter) for parameter in tool.parameters)
        lines.append(f"- {tool.name}({arguments}): {tool.description}")
    # The example has the form of a call, but names none of the tools.
    example = json.dumps({"name": "tool_name", "arguments": {"parameter": "value"}})
    return TEXT_PROTOCOL.format(tools="\n".join(lines), example=example)


def call_as_text(name: str, arguments: str) -> str:
    """Formats a call in the text protocol. `arguments` is a JSON object as text."""
    return (
        f'<tool_call>{{"name": {json.dumps(name)}, "arguments": {arguments or "{}"}}}</tool_call>'
    )


def _signature(parameter: Parameter) -> str:
    name = parameter.name if parameter.required else f"{parameter.name} (optional)"
    if not parameter.choices:
        return f"{name}: text"
    return f"{name}: " + " | ".join(json.dumps(c, ensure_ascii=False) for c in parameter.choices)
