"""The environments of the servers that tests run as peers."""

import sys
from pathlib import Path

import pytest

from tests.providers import peers


@pytest.mark.parametrize("state", ["no interpreter", "no package"])
def test_an_incomplete_environment_is_made_again(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example one whose making was killed, or that a link shows from another place."""
    monkeypatch.setattr(peers, "CACHE", tmp_path)
    made: list[Path] = []

    def install(environment: Path) -> None:
        assert not (environment / "ready").exists()
        made.append(environment)
        (library,) = environment.glob("lib/python*/site-packages")
        record = library / "server-1.dist-info"
        record.mkdir()
        (record / "METADATA").write_text("Metadata-Version: 2.1\nName: server\nVersion: 1\n")

    interpreter = tmp_path / "gone" if state == "no interpreter" else Path(sys.executable)
    (tmp_path / "server-x" / "bin").mkdir(parents=True)
    (tmp_path / "server-x" / "bin" / "python").symlink_to(interpreter)
    (tmp_path / "server-x" / "ready").write_text("recipe")
    for _ in range(2):
        assert peers.environment_for("server-x", "recipe", install) == tmp_path / "server-x"
    assert made == [tmp_path / "server-x"]
