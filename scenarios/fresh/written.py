"""Writes generated scenes as a data folder in the official layout.

`DIR/test` holds the samples and their frames as JPEG files, and `DIR/data` the train split.
`DIR/fresh.json` names the source of the scenes and the visible share of the thing in each frame.
Held-out things are in no train split.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from proactive_agent.disk.regular_file import replace_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.scenarios.builder.items import BuildError
from proactive_agent.scenarios.builder.output import TEST, TRAIN, staged
from proactive_agent.scenarios.builder.training import Shards, TrainRow, rows_of
from proactive_agent.scenarios.dataset import FRESH_FILE
from proactive_agent.scenarios.fresh.catalogue import SUFFIX, folder_of, line_of
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.draws import CHOICES
from proactive_agent.scenarios.fresh.framed import FramedScene
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.raster import as_image
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.source import VERSION, FreshSource
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample

QUALITY = 90
"""JPEG quality of the frames."""


@dataclass(frozen=True)
class WriteSettings:
    """Settings of `data fresh`."""

    source: FreshSource
    out: Path
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    train_share: float = 0.0
    """Share of the samples that go to the train split, 0 to 1."""


class WriteProgress(NamedTuple):
    """Progress within a scenario, in samples."""

    scenario: str
    done: int
    total: int


class WriteReport(NamedTuple):
    """Summary of a scenario."""

    scenario: str
    samples: int
    """Samples in the test split."""
    rows: int
    """Rows in the train split."""


def write(settings: WriteSettings) -> Iterator[WriteProgress | WriteReport]:
    """Writes the scenes and yields the progress. Closing the generator cancels the work.

    Cancelled work leaves nothing. Raises BuildError if the folder is not empty.
    """
    if settings.out.exists() and (not settings.out.is_dir() or any(settings.out.iterdir())):
        raise BuildError(f"{settings.out} is not an empty folder; name a new one")
    data = FreshData(settings.source)
    known: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    with staged(settings.out) as folder:
        shards = Shards(folder / TRAIN)
        for scenario in filter(data.has, settings.scenarios):
            training = _Training(settings)
            known[scenario] = {}
            lines: list[bytes] = []
            rows = 0
            for index in range(settings.source.samples):
                scene = data.scene(scenario, index)
                if training.takes(index, unseen=scene.choice.unseen):
                    for row in train_rows(data, scenario, index):
                        shards.add(row)
                        rows += 1
                else:
                    frames = EncodedFrames(scene).all()
                    _write_frames(folder / TEST / folder_of(scenario, index), frames)
                    lines.append(line_of(scene))
                    known[scenario][str(index)] = _known(scene, data.sample(scenario, index))
                yield WriteProgress(scenario, index + 1, settings.source.samples)
            if lines:
                file = folder / TEST / f"{SCENARIOS[scenario].stem}_preprocessed.jsonl"
                write_whole(file, b"".join(lines).decode())
                files[scenario] = hashlib.sha256(b"".join(lines)).hexdigest()
            yield WriteReport(scenario, len(lines), rows)
        text = _manifest(settings, files, known, shards.close())
        write_whole(folder / FRESH_FILE, text)


class _Training:
    """Chooses the groups of samples that go to the train split, evenly spaced."""

    def __init__(self, settings: WriteSettings) -> None:
        self._share = settings.train_share
        self._seen = self._all = self._taken = 0
        self._block, self._takes = -1, False

    def takes(self, index: int, *, unseen: bool) -> bool:
        """Returns whether a sample is for training. Samples of a group stay together."""
        if index // CHOICES != self._block:
            self._block = index // CHOICES
            self._all += 1
            self._seen += not unseen
            # Other groups replace the held-out ones, as far as there are enough.
            self._takes = not unseen and self._taken < self._share * self._all
            self._taken += self._takes
        return self._takes


class EncodedFrames(dict[str, bytes]):
    """The frames of a scene as JPEG files, by file name. A frame is encoded when it is read."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene = scene

    def __missing__(self, file: str) -> bytes:
        stream = io.BytesIO()
        frame = as_image(self._scene.frame(file.removesuffix(SUFFIX)))
        frame.save(stream, "JPEG", quality=QUALITY)
        self[file] = stream.getvalue()
        return self[file]

    def all(self) -> dict[str, bytes]:
        """Returns all frames."""
        return {file: self[file] for file in (name + SUFFIX for name in self._scene.names())}


def train_rows(data: FreshData, scenario: str, index: int) -> Iterator[TrainRow]:
    """Yields the ambiguous and the clear row of a sample."""
    frames = EncodedFrames(data.scene(scenario, index))
    return rows_of(scenario, data.sample(scenario, index), frames, QUALITY)


def _write_frames(folder: Path, frames: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in frames.items():
        with replace_regular(folder / name) as stream:
            stream.write(content)


def _known(scene: Scene, sample: Sample) -> dict[str, Any]:
    """Returns the facts about a sample's frames."""
    if isinstance(scene, FramedScene):
        return {"box": list(scene.box), "visible": scene.shares(sample)}
    return {"visible": {name: scene.visible(name) for name in scene.names()}}


def _manifest(
    settings: WriteSettings,
    files: dict[str, str],
    known: dict[str, dict[str, Any]],
    shards: list[str],
) -> str:
    pack = load_pack()
    content = {
        "generator": VERSION,
        "pack": {"version": pack.version, "sha256": pack.sha256},
        "source": str(settings.source),
        "seed": settings.source.seed,
        "difficulty": settings.source.difficulty,
        "things": settings.source.things,
        "size": settings.source.size,
        "per_scenario": settings.source.samples,
        "train_share": settings.train_share,
        "files": files,
        "shards": shards,
        "samples": known,
    }
    return msgspec.json.encode(content).decode() + "\n"
