"""Protocols: how a state becomes a prompt, and a reply an action."""

from proactive_agent.play.protocols.base import Prompt, Protocol, TurnReading
from proactive_agent.play.protocols.mcqa import Mcqa
from proactive_agent.play.protocols.oeg import Oeg
from proactive_agent.play.protocols.tool_use import ToolUse

__all__ = ["Mcqa", "Oeg", "Prompt", "Protocol", "ToolUse", "TurnReading"]
