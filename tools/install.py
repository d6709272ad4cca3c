"""The command that installs an extra from the place where the program was installed.

The name of the program on a package index is not used unless the program came from an index:
somebody else could own it.
"""

import importlib.metadata
import json
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "proactive-agent"


def install_command(extra: str) -> str:
    """Returns the command for pip, for example `pip install '.[report]'` in a checkout."""
    home = Path(__file__).absolute().parents[2]
    checkout = home if (home / "pyproject.toml").is_file() else None
    return command_for(extra, checkout, _origin())


def command_for(extra: str, checkout: Path | None, origin: str) -> str:
    """Returns the command for pip.

    `checkout` is the checkout that contains the running program. `origin` is pip's record of the
    installation, `direct_url.json` (PEP 610), or an empty text.
    """
    try:
        fields = json.loads(origin)
        url = str(fields["url"])
        editable = bool(fields.get("dir_info", {}).get("editable"))
    except (ValueError, KeyError, TypeError, AttributeError):
        fields, url, editable = {}, "", False
    folder = _folder(url) if "dir_info" in fields else None
    if checkout is not None:
        return _of_folder(extra, checkout, editable=editable and folder == checkout)
    if folder is not None:
        return _of_folder(extra, folder, editable=editable)
    if not url:
        return f"pip install {shlex.quote(f'{NAME}[{extra}]')}"
    vcs = fields.get("vcs_info", {})
    if isinstance(vcs, dict) and vcs.get("vcs"):
        revision = vcs.get("requested_revision")
        url = f"{vcs['vcs']}+{url}" + (f"@{revision}" if revision else "")
    return f"pip install {shlex.quote(f'{NAME}[{extra}] @ {url}')}"


def _of_folder(extra: str, folder: Path, *, editable: bool) -> str:
    shown = "." if folder == Path.cwd() else str(folder)
    return f"pip install {'-e ' * editable}{shlex.quote(f'{shown}[{extra}]')}"


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _origin() -> str:
    try:
        metadata_file = importlib.metadata.distribution(NAME).read_text
    except importlib.metadata.PackageNotFoundError:
        return ""
    return metadata_file("direct_url.json") or ""
