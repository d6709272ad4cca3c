"""API keys, read only from the environment and from a `.env` file in the working directory.

Keys are passed to the SDKs and not stored.  Texts from servers, such as error messages, pass a
`Redactor` before they are shown or written.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from proactive_agent.providers.api.server import ApiTarget
from proactive_agent.tools import UserError

OWN_SERVER_KEY = "PROACTIVE_AGENT_API_KEY"
"""Key for a server named in `model@http://…`.  A company's key is sent only to that company."""

NAMES: Mapping[str, str] = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
_SHORTEST_SECRET = 8

Redactor = Callable[[str], str]


def read_env_file(file: Path = Path(".env")) -> dict[str, str]:
    """Reads the assignments of a `.env` file; empty if the file does not exist."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_LINE.fullmatch(line) for line in lines if not line.lstrip().startswith("#"))
    return {match[1]: _unquoted(match[2]) for match in found if match}


def environment() -> dict[str, str]:
    """The variables of the process, which override those of the `.env` file."""
    return read_env_file() | dict(os.environ)


def find_key(name: str) -> str | None:
    """Returns the value of a key variable, or None if it is missing or empty."""
    return environment().get(name) or None


def key_for(company: str, target: ApiTarget) -> str:
    """Returns the key for a target.  Raises UserError if the company's key is not set.

    For a custom server without a key it returns a placeholder, because the SDKs require a value.
    """
    if target.base_url is not None:
        return find_key(OWN_SERVER_KEY) or "none"
    if key := find_key(NAMES[company]):
        return key
    raise UserError(
        f"{company}:{target.model} needs a key: set {NAMES[company]} in the environment or in .env"
    )


def redactor() -> Redactor:
    """Returns a function that replaces possible secrets in a text by their variable names.

    Secrets are the values of environment variables whose names suggest a key or a password.
    """
    secrets = {
        value: name
        for name, value in environment().items()
        if _SECRET_NAME.search(name.upper()) and len(value) >= _SHORTEST_SECRET
    }
    if not secrets:
        return str
    longest_first = sorted(secrets, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(lambda match: f"[{secrets[match[0]]}]", text)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] in "'\"" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0].strip()
