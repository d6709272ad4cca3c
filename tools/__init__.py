"""Help-seeking as function-calling tools: what a model can call, and how a call is read."""

from tools.actions import Abstain, Action, Answer, Intervention, Invalid, Question
from tools.catalogue import Parameter, Tool
from tools.errors import MissingExtraError, UserError
from tools.reading import Reading, ToolCall, calls_in_text, read_reply
from tools.toolsets import TOOLSETS, Toolset, ToolsetName

__all__ = [
    "TOOLSETS",
    "Abstain",
    "Action",
    "Answer",
    "Intervention",
    "Invalid",
    "MissingExtraError",
    "Parameter",
    "Question",
    "Reading",
    "Tool",
    "ToolCall",
    "Toolset",
    "ToolsetName",
    "UserError",
    "calls_in_text",
    "read_reply",
]
