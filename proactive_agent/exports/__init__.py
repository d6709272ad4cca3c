"""Exports runs for other programs: tidy tables, Inspect logs, OpenTelemetry spans.

Optional libraries are imported only where they are used.
"""
