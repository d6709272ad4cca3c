"""A data folder in the official layout: `<stem>_preprocessed.jsonl` files and the pictures beside.

Samples are read line by line, so memory does not grow with a file.  `scan` reads every line once
before anything is spent: it validates, counts and takes the fingerprint.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from scenarios.environment import Environment
from scenarios.images import ImageStore
from scenarios.protocol_pack import FILE_NAME, ProtocolPack, load_pack
from scenarios.registry import SCENARIOS, EnvironmentType
from scenarios.sample import Sample
from scenarios.wording import OWN, Wording
from tools import UserError

EMBEDDED = Path(__file__).parent / "suite"
"""The suite that ships with the program."""


class DataError(UserError):
    """A data file that cannot be used; the message names file, line and field."""


class Scan(NamedTuple):
    """What a full read of a scenario's file found."""

    samples: int
    """Samples in the file."""
    kept: int
    """Samples that the filter keeps."""
    sha256: str
    """Of the file."""


class DataFolder:
    """A folder that holds some or all of the seven scenarios.

    `path` is the folder of the data files, or the one above (the release puts them into `test/`).
    The official filter applies where a protocol pack lies beside the data, unless `unfiltered`.
    """

    def __init__(self, path: Path | None = None, *, unfiltered: bool = False) -> None:
        self.embedded = path is None
        self.unfiltered = unfiltered
        self.root = EMBEDDED if path is None else _find_root(path)
        # The release keeps its data files in `test/`; the pack lies there or one above.
        root = self.root.absolute()
        places = [root, root.parent] if root.name == "test" else [root]
        self.pack_file = next((p / FILE_NAME for p in places if (p / FILE_NAME).is_file()), None)

    @cached_property
    def pack(self) -> ProtocolPack | None:
        """The protocol pack beside the data."""
        return load_pack(self.pack_file) if self.pack_file else None

    @property
    def wording(self) -> Wording:
        """The authors' wording where there is a pack, else our own."""
        return self.pack.wording if self.pack else OWN

    @property
    def filtered(self) -> bool:
        """Whether the official filter applies."""
        return self.pack is not None and not self.unfiltered

    @cached_property
    def images(self) -> ImageStore:
        """The pictures of this folder."""
        return ImageStore(self.root)

    def scenarios(self) -> list[str]:
        """Short names of the scenarios that are there, in the paper's order."""
        return [name for name in SCENARIOS if self.file(name).is_file()]

    def file(self, scenario: str) -> Path:
        """The data file of a scenario."""
        return self.root / f"{SCENARIOS[scenario].stem}_preprocessed.jsonl"

    def samples(self, scenario: str, limit: int | None = None) -> Iterator[Sample]:
        """The kept samples of a scenario in the order of the file, at most `limit`."""
        kept = (s for _, s in self._all_samples(scenario) if self._keeps(scenario, s))
        return islice(kept, limit)

    def find(self, scenario: str, sample_id: str) -> Sample:
        """The kept sample of an id, as written on a command line.  Raises DataError."""
        for sample in self.samples(scenario):
            if str(sample.id) == sample_id:
                return sample
        raise DataError(f"{self.file(scenario)} holds no sample {sample_id}")

    def scan(self, scenario: str) -> Scan:
        """Reads a whole file.  Raises DataError at its first fault."""
        samples = kept = 0
        seen: set[int | str] = set()
        for place, sample in self._all_samples(scenario):
            if sample.id in seen:
                raise DataError(f"{place}: id {sample.id!r} stands twice")
            seen.add(sample.id)
            samples += 1
            kept += self._keeps(scenario, sample)
        with self.file(scenario).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Scan(samples, kept, digest)

    def environment(
        self, scenario: str, sample: Sample, *, reference: bool = False
    ) -> Environment[Any]:
        """A sample in play, with this folder's wording."""
        return SCENARIOS[scenario](sample, self.wording, reference=reference)

    def _all_samples(self, scenario: str) -> Iterator[tuple[str, Sample]]:
        """Each sample with the place where it stands, for messages."""
        file = self.file(scenario)
        try:
            with file.open("rb") as stream:
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        place = f"{file}, line {number}"
                        yield place, read_sample(SCENARIOS[scenario], line, place)
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}") from None

    def _keeps(self, scenario: str, sample: Sample) -> bool:
        if not self.filtered or self.pack is None:
            return True
        strong = getattr(sample, "strong_occlusions", True)
        return strong and self.pack.keeps(scenario, sample.id)


def read_sample(environment: EnvironmentType, line: bytes, place: str) -> Sample:
    """One sample from one line; `place` names it in the DataError that a fault raises."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: no JSON ({error})") from None
    name = f", sample {fields['id']!r}" if isinstance(fields, dict) and "id" in fields else ""
    try:
        sample = environment.sample_type.model_validate(fields)
        environment.check(sample)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{place}{name}: {field + ': ' if field else ''}{reason}") from None
    except ValueError as error:
        raise DataError(f"{place}{name}: {error}") from None
    return sample


def _find_root(path: Path) -> Path:
    if not path.is_dir():
        raise DataError(f"{path} is no folder")
    for folder in (path, path / "test"):
        if any((folder / f"{s.stem}_preprocessed.jsonl").is_file() for s in SCENARIOS.values()):
            return folder
    raise DataError(
        f"{path} holds no data file (<stem>_preprocessed.jsonl, e.g. ImageNet-C_preprocessed.jsonl)"
    )
