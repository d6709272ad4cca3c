"""Judges of open-ended replies: rules over words, or a model that is asked."""

from proactive_agent.play.judges.base import Case, Judge

__all__ = ["Case", "Judge"]
