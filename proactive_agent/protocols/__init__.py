"""Protocols: how a state becomes a prompt, and a reply an action."""

from proactive_agent.protocols.base import Prompt, Protocol, TurnReading
from proactive_agent.protocols.mcqa import Mcqa
from proactive_agent.protocols.oeg import Oeg
from proactive_agent.protocols.tool_use import ToolUse

__all__ = ["Mcqa", "Oeg", "Prompt", "Protocol", "ToolUse", "TurnReading"]
