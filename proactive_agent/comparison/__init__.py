"""Runs side by side: what they are called, in what they differ, and whether that is chance."""

from proactive_agent.comparison.naming import differences, name_runs

__all__ = ["differences", "name_runs"]
