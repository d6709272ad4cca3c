"""Judges of open-ended replies: rules over words, or a model."""

from proactive_agent.play.judges.base import Case, Judge, ask, said

__all__ = ["Case", "Judge", "ask", "said"]
