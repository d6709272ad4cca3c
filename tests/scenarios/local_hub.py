"""A folder that stands in for the Hub, laid out like the release."""

import hashlib
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from proactive_agent.scenarios.hub import HubFile
from tests.scenarios import official_layout
from tests.scenarios.official_layout import STEMS


class Space(NamedTuple):
    """The result of `shutil.disk_usage`."""

    total: int
    used: int
    free: int


class LocalHub:
    """A Hub that records every request."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fetched: list[str] = []
        """Returns the files whose download was started."""
        self.bytes_read = 0

    def files(self) -> list[HubFile]:
        """Returns every file below the root."""
        return [
            HubFile(
                str(file.relative_to(self.root)),
                file.stat().st_size,
                hashlib.sha256(file.read_bytes()).hexdigest(),
            )
            for file in sorted(self.root.rglob("*"))
            if file.is_file()
        ]

    def read(self, file: HubFile, start: int, size: int) -> bytes:
        """Returns a part of a file."""
        if start == 0:
            self.fetched.append(file.path)
        with (self.root / file.path).open("rb") as stream:
            stream.seek(start)
            content = stream.read(size)
        self.bytes_read += len(content)
        return content


def write_release(root: Path, archive_names: Mapping[str, str]) -> LocalHub:
    """Writes a release of the named scenarios: one sample and one archive each."""
    test = official_layout.write_folder(root / "test", scenarios=list(archive_names), samples=1)
    (root / "README.md").write_text("A data set.", encoding="utf-8")
    for scenario, name in archive_names.items():
        pictures = test / STEMS[scenario]
        with zipfile.ZipFile(test / name, "w") as archive:
            for file in sorted(pictures.rglob("*.png")):
                archive.write(file, file.relative_to(test))
        shutil.rmtree(pictures)
    return LocalHub(root)
