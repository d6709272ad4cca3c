"""Generated scenes that replace a data folder.

Nothing is on disk. A sample is made when it is read, and a frame when it is opened.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from proactive_agent.scenarios.dataset import DataError, DataFolder, PlacedSample, Scan, read_sample
from proactive_agent.scenarios.fresh.catalogue import SUFFIX, kept_scene, line_of, scene_of
from proactive_agent.scenarios.fresh.draws import groups_of
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.raster import as_image
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.source import VERSION, FreshSource, parse_source
from proactive_agent.scenarios.images import CACHE_BYTES, ImageError, ImageStore, Kept
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample

HASHED = 200
"""Number of samples of a scenario that are part of its hash."""

_STEMS = {environment.stem: name for name, environment in SCENARIOS.items()}


class FreshData(DataFolder):
    """The samples of a seed, with the interface of a folder in the official layout."""

    def __init__(self, source: FreshSource, *, unfiltered: bool = False) -> None:
        self.embedded = False
        self.built = True
        self.unfiltered = unfiltered
        self.pack_file = self.filter_file = None
        self.fresh = source
        self.root = Path(str(source))
        self._kept_offsets = {}
        pack = load_pack()
        self.seed = str(FreshSource(source.seed, things=source.things))
        self.generator = (
            f"fresh {VERSION}, pack {pack.version} {pack.sha256}, {source.difficulty}, "
            f"{source.size} pixels"
        )

    @property
    def source(self) -> str:
        return str(self.fresh)

    def store(self, cache_bytes: int = CACHE_BYTES) -> ImageStore:
        return FreshImages(self.fresh, cache_bytes)

    def has(self, scenario: str) -> bool:
        return scenario in SCENARIOS and bool(groups_of(load_pack(), self.fresh, scenario))

    def count(self, scenario: str) -> int:
        return self.fresh.samples

    def sample(self, scenario: str, index: int) -> Sample:
        """Returns the sample with this index, which is also its id."""
        return self._at(scenario, index)

    def scene(self, scenario: str, index: int) -> Scene:
        """Returns the scene of a sample, which knows what each frame shows."""
        return kept_scene(load_pack(), self.fresh, scenario, index)

    def find(self, scenario: str, sample_id: str) -> Sample:
        number = int(sample_id) if sample_id.isascii() and sample_id.isdigit() else -1
        if not 0 <= number < self.fresh.samples:
            raise DataError(
                f"{self.source} contains no sample {sample_id} of {scenario}; its samples have "
                f"the numbers 0 to {self.fresh.samples - 1}"
            )
        return self._at(scenario, number)

    def scan(self, scenario: str) -> Scan:
        """Hashes everything that determines the samples, and the first samples.

        Hashing all of them would take long: a seed has up to a million.
        """
        pack = load_pack()
        digest = hashlib.sha256(f"{self.generator}\n{self.fresh}\n".encode())
        for index in range(min(self.fresh.samples, HASHED)):
            digest.update(line_of(scene_of(pack, self.fresh, scenario, index)))
        return Scan(self.fresh.samples, self.fresh.samples, digest.hexdigest())

    def _all(self, scenario: str) -> Iterator[PlacedSample]:
        for index in range(self.fresh.samples):
            yield PlacedSample(self._place(scenario, index), index, self._at(scenario, index))

    def _offsets(self, scenario: str) -> "array[int]":
        return array("Q", range(self.fresh.samples))

    def _at(self, scenario: str, offset: int) -> Sample:
        scene = scene_of(load_pack(), self.fresh, scenario, offset)
        return read_sample(SCENARIOS[scenario], line_of(scene), self._place(scenario, offset))

    def _place(self, scenario: str, index: int) -> str:
        return f"{self.source}, {scenario} {index}"


class FreshImages(ImageStore):
    """Computes the frames of a seed when they are opened. Thread-safe.

    Pickling keeps only the source, so that a request is sent to another process without pixels.
    """

    def __init__(self, source: FreshSource, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(Path(str(source)), cache_bytes)
        self.fresh = source

    def __reduce__(self) -> tuple[Callable[[str, int], "ImageStore"], tuple[str, int]]:  # type: ignore[override]
        return _unpickled, (str(self.fresh), self.cache_bytes)

    def _read(self, path: str) -> Kept:
        stem, _, rest = path.partition("/")
        folder, _, file = rest.partition("/")
        scenario = _STEMS.get(stem)
        number = int(folder) if folder.isascii() and folder.isdigit() and len(folder) < 10 else -1
        if scenario is None or not 0 <= number < self.fresh.samples:
            raise ImageError(f"{path}: {self.fresh} has no such frame")
        scene = kept_scene(load_pack(), self.fresh, scenario, number)
        if (name := file.removesuffix(SUFFIX)) not in scene.names():
            raise ImageError(f"{path}: {self.fresh} has no such frame")
        pixels = scene.frame(name)
        content = f"{pixels.shape}".encode() + pixels.tobytes()
        return Kept(as_image(pixels), hashlib.sha256(content).hexdigest(), None)


@lru_cache(maxsize=4)
def _unpickled(source: str, cache_bytes: int) -> ImageStore:
    return FreshImages(parse_source(source), cache_bytes)
