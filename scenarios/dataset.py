"""A data folder in the official layout: `<stem>_preprocessed.jsonl` files and their pictures.

Samples are read line by line, so memory does not grow with a file. Before a run starts, `scan`
reads every line once to validate it, count the samples and compute the fingerprint.
"""

import json
import random
from array import array
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from pydantic import ValidationError

from proactive_agent.disk.regular_file import open_regular, sha256_of
from proactive_agent.scenarios.environment import Environment
from proactive_agent.scenarios.images import CACHE_BYTES, ImageStore
from proactive_agent.scenarios.protocol_pack import FILE_NAME, ProtocolPack, load_pack
from proactive_agent.scenarios.registry import SCENARIOS, EnvironmentType
from proactive_agent.scenarios.sample import Sample, quoted
from proactive_agent.scenarios.sample_filter import FILTER_FILE, SampleFilter, load_filter
from proactive_agent.scenarios.wording import OWN, Wording
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem

EMBEDDED = Path(__file__).parent / "suite"
"""The suite that ships with the program."""


MAX_LINE = 8 * 2**20
"""Most bytes of a line. A real one has about a thousand."""


class DataError(UserError):
    """A data file cannot be used. The message names the file, the line and the field."""


class Scan(NamedTuple):
    """The result of reading a scenario's whole file."""

    samples: int
    """Samples in the file."""
    kept: int
    """Samples that the filter keeps."""
    sha256: str
    """Hash of the file."""


class PlacedSample(NamedTuple):
    """A sample, its place for messages, and its offset in bytes from the start of the file."""

    place: str
    offset: int
    sample: Sample


SPARE = 32
"""Most samples that are looked at beyond those that are needed, to avoid equal categories."""

BUILD_FILE = "build.json"
"""Manifest that `build` writes. A folder that has it is not a copy of the release."""

FRESH_FILE = "fresh.json"
"""Manifest that `data fresh` writes. A folder with this file is not a copy of the release."""


class DataFolder:
    """A folder that holds the data of some or all scenarios.

    `path` is the folder of the data files or its parent, because the release puts them into
    `test/`; None is the embedded suite. The official filter applies if the folder has a protocol
    pack, and its own filter if it has a `filter.json`, unless `unfiltered` is set.
    """

    def __init__(self, path: Path | None = None, *, unfiltered: bool = False) -> None:
        self.embedded = path is None
        self.unfiltered = unfiltered
        self.root = EMBEDDED if path is None else _find_root(path)
        # The release keeps its data files in `test/`. The pack is there or in the parent folder.
        root = self.root.absolute()
        places = [root, root.parent] if root.name == "test" else [root]
        self.pack_file, self.filter_file = (
            next((place / name for place in places if (place / name).is_file()), None)
            for name in (FILE_NAME, FILTER_FILE)
        )
        self.built = any(
            (place / name).is_file() for place in places for name in (BUILD_FILE, FRESH_FILE)
        )
        """Whether the folder was made by `build` or `data fresh`."""
        self._kept_offsets: dict[str, array[int]] = {}

    generator: str | None = None
    """Generated scenes: everything that determines them except the seed and their number."""
    seed: str | None = None
    """Generated scenes: the seed, and which things are shown if not all."""

    @property
    def generated(self) -> bool:
        """Whether the samples are generated instead of read from files."""
        return self.generator is not None

    @cached_property
    def pack(self) -> ProtocolPack | None:
        """The folder's protocol pack, or None."""
        return load_pack(self.pack_file) if self.pack_file else None

    @property
    def wording(self) -> Wording:
        """The authors' wording if there is a protocol pack, else our own."""
        return self.pack.wording if self.pack else OWN

    @property
    def filtered(self) -> bool:
        """Whether the official filter applies."""
        return self.pack is not None and not self.unfiltered

    @cached_property
    def own_filter(self) -> SampleFilter | None:
        """The filter of the folder's `filter.json`, if it applies."""
        if self.filter_file is None or self.unfiltered:
            return None
        return load_filter(self.filter_file)

    @cached_property
    def images(self) -> ImageStore:
        """The pictures of these data."""
        return self.store()

    def store(self, cache_bytes: int = CACHE_BYTES) -> ImageStore:
        """Returns a new store of the pictures, with its own cache."""
        return ImageStore(self.root, cache_bytes)

    @property
    def source(self) -> str | None:
        """The text that names these data in settings; None for the embedded suite."""
        return None if self.embedded else str(self.root)

    def scenarios(self) -> list[str]:
        """Returns the short names of the scenarios in this folder, in the paper's order."""
        return [name for name in SCENARIOS if self.has(name)]

    def has(self, scenario: str) -> bool:
        """Returns whether there are data for a scenario."""
        return self.file(scenario).is_file()

    def file(self, scenario: str) -> Path:
        """Returns the path of a scenario's data file."""
        return self.root / f"{SCENARIOS[scenario].stem}_preprocessed.jsonl"

    def samples(
        self, scenario: str, limit: int | None = None, *, shuffled: bool = False
    ) -> Iterator[Sample]:
        """Yields the samples of a scenario that the filter keeps, at most `limit`.

        They come in file order, or `shuffled` as in the published open-ended evaluation.
        """
        if not shuffled:
            return islice((found.sample for found in self._kept(scenario)), limit)
        offsets = list(self._offsets(scenario))
        random.Random(0).shuffle(offsets)
        return (self._at(scenario, offset) for offset in offsets[:limit])

    def count(self, scenario: str) -> int:
        """Returns how many samples of a scenario the filter keeps."""
        return len(self._offsets(scenario))

    def others(self, scenario: str, sample: Sample, count: int, rng: random.Random) -> list[Sample]:
        """Draws `count` random samples other than `sample`, or fewer if there are not enough.

        Samples with the same categories are taken only if others are rare: such samples may be a
        group in which each category is the answer once, as in the embedded suite. The first call
        for a scenario reads its whole file, later calls only some lines.
        """
        offsets = self._offsets(scenario)
        alike: list[Sample] = []
        found: list[Sample] = []
        for offset in rng.sample(offsets, min(count + 1 + SPARE, len(offsets))):
            if len(found) == count:
                break
            drawn = self._at(scenario, offset)
            if drawn.id != sample.id:
                same = {*drawn.categories} == {*sample.categories}
                (alike if same else found).append(drawn)
        return [*found, *alike][:count]

    def find(self, scenario: str, sample_id: str) -> Sample:
        """Returns the sample with an id, as given on the command line. Raises DataError."""
        for sample in self.samples(scenario):
            if str(sample.id) == sample_id:
                return sample
        raise DataError(f"{self.file(scenario)} contains no sample {sample_id}")

    def scan(self, scenario: str) -> Scan:
        """Reads a scenario's whole file. Raises DataError at the first fault."""
        samples = kept = 0
        seen: set[int | str] = set()
        for place, _, sample in self._all(scenario):
            if sample.id in seen:
                raise DataError(f"{place}: id {sample.id!r} occurs twice")
            seen.add(sample.id)
            samples += 1
            kept += self._keeps(scenario, sample)
        if not samples:
            raise DataError(f"{self.file(scenario)} contains no sample")
        sha256 = sha256_of(self.file(scenario))
        own = self.own_filter
        if own is not None and own.files.get(scenario, sha256) != sha256:
            raise DataError(
                f"{self.filter_file} is the filter of another {self.file(scenario).name}: "
                "remove it, or write it again with `data filter`"
            )
        return Scan(samples, kept, sha256)

    def environment(
        self, scenario: str, sample: Sample, *, reference: bool = False, clear: bool = False
    ) -> Environment[Any]:
        """Returns the environment of a sample, with this folder's wording."""
        return SCENARIOS[scenario](sample, self.wording, reference=reference, clear=clear)

    def _all(self, scenario: str) -> Iterator[PlacedSample]:
        file = self.file(scenario)
        offset = 0
        try:
            with open_regular(file) as stream:
                for number, line in enumerate(_lines(stream), 1):
                    place = f"{file}, line {number}"
                    if len(line) > MAX_LINE:
                        raise DataError(f"{place}: longer than {MAX_LINE:,} bytes")
                    if line.strip():
                        yield PlacedSample(
                            place, offset, read_sample(SCENARIOS[scenario], line, place)
                        )
                    offset += len(line)
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}") from None

    def _kept(self, scenario: str) -> Iterator[PlacedSample]:
        return (found for found in self._all(scenario) if self._keeps(scenario, found.sample))

    def _offsets(self, scenario: str) -> "array[int]":
        if scenario not in self._kept_offsets:
            self._kept_offsets[scenario] = array("Q", (f.offset for f in self._kept(scenario)))
        return self._kept_offsets[scenario]

    def _at(self, scenario: str, offset: int) -> Sample:
        file = self.file(scenario)
        try:
            with open_regular(file) as stream:
                stream.seek(offset)
                line = stream.readline(MAX_LINE)
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}") from None
        return read_sample(SCENARIOS[scenario], line, f"{file}, byte {offset}")

    def _keeps(self, scenario: str, sample: Sample) -> bool:
        if self.own_filter is not None and not self.own_filter.keeps(scenario, sample.id):
            return False
        if not self.filtered or self.pack is None:
            return True
        weak = getattr(sample, "strong_occlusions", None) is False
        return not weak and self.pack.keeps(scenario, sample.id)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yields the lines of a file; of a line that is too long only the beginning."""
    return iter(lambda: stream.readline(MAX_LINE + 1), b"")


def read_sample(environment: EnvironmentType, line: bytes, place: str) -> Sample:
    """Parses and checks one line. Raises DataError, naming `place`."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not valid JSON ({error})") from None
    name = f", sample {quoted(fields['id'])}" if isinstance(fields, dict) and "id" in fields else ""
    try:
        sample = environment.sample_type.model_validate(fields)
        environment.check(sample)
    except ValidationError as error:
        raise DataError(f"{place}{name}: {first_problem(error)}") from None
    except ValueError as error:
        raise DataError(f"{place}{name}: {error}") from None
    return sample


def _holds_pictures(path: Path) -> bool:
    """Whether a folder looks like `CLASS/*.jpg`, the input of `build`, or like loose pictures."""
    places = [path, *islice((one for one in path.iterdir() if one.is_dir()), 3)]
    return any(
        one.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
        for place in places
        for one in islice(place.iterdir(), 20)
    )


def _find_root(path: Path) -> Path:
    if not path.is_dir():
        raise DataError(f"{path} is not a folder")
    for folder in (path, path / "test"):
        if any((folder / f"{s.stem}_preprocessed.jsonl").is_file() for s in SCENARIOS.values()):
            return folder
    if _holds_pictures(path):
        raise DataError(
            f"{path} contains pictures, but no data file; make scenarios of them with `build "
            f"{path} --scenario rod --out SCENES`, then pass --data SCENES"
        )
    raise DataError(
        f"{path} contains no data file "
        "(<stem>_preprocessed.jsonl, e.g. ImageNet-C_preprocessed.jsonl)"
    )
