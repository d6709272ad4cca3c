"""The command for a missing extra installs it from where the program came from."""

import json
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.tools.install import command_for, install_command

FOLDER = {"url": "file:///home/me/my%20clone", "dir_info": {}}
EDITABLE = {"url": "file:///home/me/clone", "dir_info": {"editable": True}}
GIT = {
    "url": "https://example.org/clone",
    "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "0"},
}
WHEEL = {"url": "file:///tmp/p.whl", "archive_info": {}}


@pytest.mark.parametrize(
    ("origin", "checkout", "command"),
    [
        (None, None, "pip install 'proactive-agent[view]'"),
        (FOLDER, None, "pip install '/home/me/my clone[view]'"),
        (EDITABLE, None, "pip install -e '/home/me/clone[view]'"),
        (EDITABLE, "/home/me/clone", "pip install -e '/home/me/clone[view]'"),
        (EDITABLE, "/home/me/another", "pip install '/home/me/another[view]'"),
        (None, "/home/me/clone", "pip install '/home/me/clone[view]'"),
        (GIT, None, "pip install 'proactive-agent[view] @ git+https://example.org/clone@v1'"),
        (WHEEL, None, "pip install 'proactive-agent[view] @ file:///tmp/p.whl'"),
        ("nonsense", None, "pip install 'proactive-agent[view]'"),
    ],
)
def test_the_command_names_the_origin(origin: Any, checkout: str | None, command: str) -> None:
    record = "" if origin is None else json.dumps(origin)
    assert command_for("view", Path(checkout) if checkout else None, record) == command


def test_in_the_checkout_itself_the_command_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Path(__file__).parents[2]
    monkeypatch.chdir(checkout)
    assert command_for("view", checkout, "") == "pip install '.[view]'"
    assert ".[view]'" in install_command("view")
