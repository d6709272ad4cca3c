"""Keeps known secrets out of everything that the program writes or shows.

`register_secret` makes a value known: a key that is sent to an API, or a secret header.
`register_environment` registers variables whose names suggest a secret. `redacted` replaces
known secrets in a text by their names. It also replaces parts of them, because servers and error
messages shorten what they repeat. Redact a text before you shorten it.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from proactive_agent.tools.errors import UserError

SHORTEST = 8
"""Shortest secret, in characters. Shorter values, such as "none", occur in ordinary texts."""
PART = 10
"""Shortest part of a secret that is replaced, in characters."""
BEGINNING = 8
"""Shortest beginning of a secret that is replaced, in characters."""
_ANCHOR = PART // 2
"""Every part of a secret contains one of its blocks of this length (in characters)."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])(?![./~])(?!.*://)\S{16,}")
"""A value that looks like a generated key, and not like words, a path or an address."""

_SECRET_PARAMETER = re.compile(
    r"(?:^|[&;?#])(?:[^=&;]*(?:key|token|secret|passw|pwd|credential|auth|signature)[^=&;]*|sig|code)="
    r"[^&;]",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?:sk|pk|rk|hf|gsk|xai|ghp|glpat|nvapi|key|token)[-_][\w-]{16,}|AIza[\w-]{30,}|eyJ[\w-]{20,}"
)
"""Forms of keys of well-known services."""


class Redactor:
    """Replaces the secrets that it knows. Fast for texts without one; linear in the text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        """Names by value; values that are replaced only as a whole are included."""
        self._parts: dict[str, str] = {}
        """Names by `PART` characters in a row."""
        self._beginnings: dict[str, str] = {}
        self._anchors: set[str] = set()
        """Short texts. Every text that contains a secret contains at least one of them."""

    def register(self, value: str, name: str, *, parts: bool = True) -> None:
        """Makes a secret known. `parts`: whether its parts are also replaced.

        Values that are shorter than `SHORTEST` are ignored.
        """
        if len(value) < SHORTEST:
            return
        for form in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
            self._names.setdefault(form, name)
            self._anchors.add(form[:_ANCHOR])
            if parts:
                self._register_parts(form, name)

    def _register_parts(self, value: str, name: str) -> None:
        if not value[:BEGINNING].isalpha():  # A word would be replaced in ordinary texts.
            self._beginnings.setdefault(value[:BEGINNING], name)
        for start in range(len(value) - PART + 1):
            self._parts.setdefault(value[start : start + PART], name)
        self._anchors.update(
            value[start : start + _ANCHOR] for start in range(0, len(value) - _ANCHOR + 1, _ANCHOR)
        )

    def forget(self) -> None:
        """Forgets every secret."""
        for known in (self._names, self._parts, self._beginnings, self._anchors):
            known.clear()

    def __call__(self, text: str) -> str:
        """Returns the text with `[NAME]` in place of secrets and of their parts."""
        if not any(anchor in text for anchor in self._anchors):
            return text
        done, pieces = 0, []
        for start, end, name in self._spans(text):
            pieces += [text[done:start], f"[{name}]"]
            done = end
        return "".join([*pieces, text[done:]])

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """The places of secrets, in order. Overlapping places are merged."""
        whole = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        found = [(m.start(), m.end(), self._names[m[0]]) for m in re.finditer(whole, text)]
        for length, known in ((PART, self._parts), (BEGINNING, self._beginnings)):
            found += [
                (start, start + length, known[part])
                for start in range(len(text) - length + 1)
                if (part := text[start : start + length]) in known
            ]
        merged: list[tuple[int, int, str]] = []
        for start, end, name in sorted(found):
            if merged and start < merged[-1][1]:
                before, until, first = merged.pop()
                start, end, name = before, max(until, end), first
            merged.append((start, end, name))
        return merged


_redactor = Redactor()


def register_secret(value: str | None, name: str) -> None:
    """Makes a secret of this process known. `name` replaces it in texts."""
    if value:
        _redactor.register(value, name)


def register_environment(environment: Mapping[str, str]) -> None:
    """Registers the values of variables whose names suggest a key or a password.

    Parts are replaced only if the value looks random, because others can be words. Addresses
    without an @ and existing paths are no secrets: a record that names them must keep them.
    """
    for name, value in environment.items():
        if _SECRET_NAME.search(name.upper()) and not _is_place(value):
            _redactor.register(value, name, parts=bool(_RANDOM.fullmatch(value)))


def _is_place(value: str) -> bool:
    if re.fullmatch(r"\w+://[^@]*", value):
        return True
    try:
        return value.startswith(("/", "~", ".")) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def forget_secrets() -> None:
    """Forgets every secret, as at the start of the process."""
    _redactor.forget()


def redacted(text: str) -> str:
    """Returns the text with known secrets, and parts of them, replaced by their names."""
    return _redactor(text)


def redacted_json(text: str, *, indent: int | None = None) -> str:
    """Returns JSON text without known secrets. `indent` formats a text that had to be changed."""
    if redacted(text) == text:
        return text
    # Within JSON, a part of a secret can begin inside an escape sequence.
    separators = (",", ":") if indent is None else None
    return json.dumps(
        _mapped(json.loads(text), redacted),
        ensure_ascii=False,
        indent=indent,
        separators=separators,
    )


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(inner, change) for inner in value]
    if isinstance(value, dict):
        return {change(key): _mapped(inner, change) for key, inner in value.items()}
    return value


def check_address(address: str, variable: str) -> None:
    """Raises UserError if an address contains a secret. The message does not repeat it.

    Addresses are recorded, shown and used in the names of folders. `variable` is the environment
    variable in which the secret belongs.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise UserError("the address of a server is malformed; expected http://HOST:PORT") from None
    instead = f"set the key in the environment as {variable}"
    if "@" in parts.netloc:
        raise UserError(
            f"the address of a server must not contain a user name or password; {instead}"
        )
    query = unquote_plus(f"{parts.query}#{parts.fragment}")
    values = re.split(r"[&;#=]", query)
    if (
        _SECRET_PARAMETER.search(query)
        or any(map(_RANDOM.fullmatch, values))
        or _KEY.search(unquote_plus(address))
        or redacted(address) != address
    ):
        raise UserError(f"the address of a server must not contain a key; {instead}")


def redact_logs() -> None:
    """Removes known secrets from all log records that are made from now on."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # The handler reports the faulty arguments.
            return record
        if (safe := redacted(message)) != message:
            record.msg, record.args = safe, ()
        return record

    redacting.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)
