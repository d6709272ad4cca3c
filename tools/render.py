"""How tools are written down for those who must read them: APIs, chat templates, plain text."""

import json
from collections.abc import Sequence
from typing import Any

from proactive_agent.tools.catalogue import Parameter, Tool
from proactive_agent.tools.texts import TEXT_PROTOCOL


def for_openai(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Chat Completions `tools`; transformers' chat templates take the same form."""
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
    """Messages API `tools`."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": tool.schema()}
        for tool in tools
    ]


def as_text(tools: Sequence[Tool]) -> str:
    """The same tools for a model that knows no tool calling: a list, and how to write a call."""
    lines = []
    for tool in tools:
        arguments = ", ".join(_signature(parameter) for parameter in tool.parameters)
        lines.append(f"- {tool.name}({arguments}): {tool.description}")
    # The example takes the form of a call without standing for any of the tools.
    example = json.dumps({"name": "tool_name", "arguments": {"parameter": "value"}})
    return TEXT_PROTOCOL.format(tools="\n".join(lines), example=example)


def call_as_text(name: str, arguments: str) -> str:
    """A call in the text protocol; `arguments` is a JSON object as text."""
    return (
        f'<tool_call>{{"name": {json.dumps(name)}, "arguments": {arguments or "{}"}}}</tool_call>'
    )


def _signature(parameter: Parameter) -> str:
    name = parameter.name if parameter.required else f"{parameter.name} (optional)"
    if not parameter.choices:
        return f"{name}: text"
    return f"{name}: " + " | ".join(json.dumps(c, ensure_ascii=False) for c in parameter.choices)
