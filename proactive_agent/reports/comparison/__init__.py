"""Runs side by side: what they are called, in what they differ, and whether that is chance."""

from proactive_agent.reports.run_names import differences, name_runs

__all__ = ["differences", "name_runs"]
