"""Help-seeking as function calling: the tools that a model can call, and the reading of calls."""

from proactive_agent.tools.actions import (
    Abstain,
    Action,
    Answer,
    Intervention,
    Invalid,
    Question,
    Vague,
)
from proactive_agent.tools.catalogue import Parameter, Tool
from proactive_agent.tools.errors import MissingExtraError, NotWrittenError, UserError
from proactive_agent.tools.reading import Reading, ToolCall, calls_in_text, read_reply
from proactive_agent.tools.toolsets import TOOLSETS, Toolset, ToolsetName

__all__ = [
    "TOOLSETS",
    "Abstain",
    "Action",
    "Answer",
    "Intervention",
    "Invalid",
    "MissingExtraError",
    "NotWrittenError",
    "Parameter",
    "Question",
    "Reading",
    "Tool",
    "ToolCall",
    "Toolset",
    "ToolsetName",
    "UserError",
    "Vague",
    "calls_in_text",
    "read_reply",
]
