"""A run in the forms of other programs: tidy tables, Inspect logs, OpenTelemetry spans.

One file each; the libraries that they need are imported where they are used.
"""
