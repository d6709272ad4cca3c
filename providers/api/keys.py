"""API keys: from the environment or a `.env` file in the working directory, and nowhere else.

A key is handed to the SDK and not kept; texts of unknown origin (error messages of servers) go
through a `Redactor` before they are shown or written.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from proactive_agent.providers.api.server import ApiTarget
from proactive_agent.tools import UserError

OWN_SERVER_KEY = "PROACTIVE_AGENT_API_KEY"
"""The key for a server named in `model@http://…`: the key of a company is not sent elsewhere."""

NAMES: Mapping[str, str] = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
_SHORTEST_SECRET = 8

Redactor = Callable[[str], str]


def read_env_file(file: Path = Path(".env")) -> dict[str, str]:
    """The assignments of a `.env` file; none where there is no such file."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_LINE.fullmatch(line) for line in lines if not line.lstrip().startswith("#"))
    return {match[1]: _unquoted(match[2]) for match in found if match}


def environment() -> dict[str, str]:
    """The `.env` file, and over it the environment of the process."""
    return read_env_file() | dict(os.environ)


def find_key(name: str) -> str | None:
    """The key of that name; None where it is missing or empty."""
    return environment().get(name) or None


def key_for(company: str, target: ApiTarget) -> str:
    """The key that an SDK is given for a target.  Raises UserError where the company's is missing.

    A server of the user's own that asks for no key is not told one; the SDKs insist on something.
    """
    if target.base_url is not None:
        return find_key(OWN_SERVER_KEY) or "none"
    if key := find_key(NAMES[company]):
        return key
    raise UserError(f"{company}:{target.model} needs a key: set {NAMES[company]}")


def redactor() -> Redactor:
    """Replaces every value in sight that may be a secret by its variable's name."""
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
