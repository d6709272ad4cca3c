"""Protocols, which turn states into prompts and replies into actions."""

from proactive_agent.play.protocols.base import (
    AskedTurn,
    JudgeError,
    Protocol,
    SimulatedUserError,
    TurnPrompt,
    TurnReading,
)
from proactive_agent.play.protocols.mcqa import Mcqa
from proactive_agent.play.protocols.oeg import Oeg
from proactive_agent.play.protocols.tool_use import ToolUse

__all__ = [
    "AskedTurn",
    "JudgeError",
    "Mcqa",
    "Oeg",
    "Protocol",
    "SimulatedUserError",
    "ToolUse",
    "TurnPrompt",
    "TurnReading",
]
