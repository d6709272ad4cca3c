"""What can go wrong in a build.

`BuildError` is wrong input: nothing is built.  `SkipError` concerns one source: it is left out,
named and counted, and the build goes on.
"""

from proactive_agent.tools import UserError


class BuildError(UserError):
    """Input that cannot be built from; the message names file, line and field."""


class SkipError(Exception):
    """A source that gives no sample; the message says why."""
