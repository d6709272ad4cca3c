"""Specs that name agents: `agent:COMMAND`."""

import shlex
from contextlib import suppress

from proactive_agent.settings.model_spec import split_spec

AGENT = ("agent",)
"""Names of the providers whose models are agents, which play over MCP."""
_INTERPRETERS = ("python", "node", "bash", "sh", "env", "uv", "uvx", "npx", "docker", "podman")
_LONGEST = 40


def names_agent(spec: str) -> bool:
    """Whether a spec names an agent and not a model."""
    return split_spec(spec).provider in AGENT


def short_name(spec: str) -> str:
    """Returns a spec as tables show it: of an agent's command only the program or the script.

    Other specs are returned unchanged.
    """
    if not names_agent(spec):
        return spec
    words: list[str] = []
    with suppress(ValueError):
        words = shlex.split(split_spec(spec).model)
    names = [w.rpartition("/")[2] for w in words if w[:1] not in ("-", "{") and "=" not in w]
    own = [name for name in names if not name.rstrip("0123456789.").startswith(_INTERPRETERS)]
    return f"agent:{next(iter(own or names), 'unknown')[:_LONGEST]}"
