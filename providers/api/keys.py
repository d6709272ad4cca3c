"""API keys, read only from the environment and from a `.env` file in the working directory.

Keys are passed to the SDKs and not stored. Each key that is read is registered as a secret, so
that no text that is shown or written contains a part of it (see `proactive_agent.tools.secrets`).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from proactive_agent.disk.regular_file import read_regular_text
from proactive_agent.providers.api.server import OWN_SERVER_KEY, ApiTarget
from proactive_agent.tools import UserError
from proactive_agent.tools.secrets import redact_logs, register_environment, register_secret

NAMES: Mapping[str, str] = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")


def read_env_file(file: Path = Path(".env")) -> dict[str, str]:
    """Reads the assignments of a `.env` file; empty if the file does not exist."""
    try:
        lines = read_regular_text(file).splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_LINE.fullmatch(line) for line in lines if not line.lstrip().startswith("#"))
    return {match[1]: _unquoted(match[2]) for match in found if match}


def environment() -> dict[str, str]:
    """The variables of the process, which override those of the `.env` file."""
    return read_env_file() | dict(os.environ)


def find_key(name: str) -> str | None:
    """Returns the value of a key variable, or None if it is missing or empty."""
    key = environment().get(name) or None
    register_secret(key, name)
    return key


def key_for(company: str, target: ApiTarget) -> str:
    """Returns the key for a target. Raises UserError if the company's key is not set.

    For a custom server without a key it returns a placeholder, because the SDKs require a value.
    """
    if target.base_url is not None:
        return find_key(OWN_SERVER_KEY) or "none"
    if key := find_key(NAMES[company]):
        return key
    raise UserError(
        f"{company}:{target.model} needs a key: set {NAMES[company]} in the environment or in .env"
    )


def protect_secrets() -> None:
    """Registers the secrets of the environment, and keeps them out of log records."""
    register_environment(environment())
    redact_logs()


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] in "'\"" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0].strip()
