"""Checks that a data folder has valid samples and every picture that they can show.

Pictures are decoded completely, because a truncated file opens without an error. Results are
yielded one by one, so that memory does not grow with the number of faults.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from proactive_agent.scenarios.dataset import DataError, DataFolder
from proactive_agent.scenarios.environment import ImageRef, SampleError
from proactive_agent.scenarios.images import ImageError, crop_box
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.sample_pictures import pictures

REMEMBERED = 50_000
"""Number of remembered picture paths. Older ones are read again when they recur."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a data folder."""

    scenario: str
    sample: int | str | None
    """Id of the sample, or None if the fault concerns the data file."""
    problem: str


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """Progress within a scenario."""

    scenario: str
    done: int
    """Samples read. The pictures of the last few may still be in progress."""
    total: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Summary of a scenario, yielded after its faults."""

    scenario: str
    samples: int | None
    """Samples in the file, or None if the file cannot be read."""
    kept: int | None
    """Samples that the filters keep, or None without a filter."""
    pictures: int
    """Number of readable pictures."""
    faults: int

    @property
    def published(self) -> tuple[int, int]:
        """Samples of the official release, before and after the filter."""
        return SCENARIOS[self.scenario].published_counts


def verify(
    path: Path, scenarios: Iterable[str] | None = None, *, workers: int = 8
) -> Iterator[Fault | VerifyProgress | VerifyReport]:
    """Verifies the named scenarios of a folder, or all that it has.

    With a protocol pack the data are the official release, so a different number of samples is a
    fault. Raises DataError if the folder or the file of a named scenario does not exist.
    """
    folder = open_data(path)
    names = folder.scenarios() if scenarios is None else list(scenarios)
    for name in names:
        if not folder.has(name):
            raise DataError(f"{folder.file(name)} does not exist")
    for name in names:
        yield from _verify_scenario(folder, open_data(path, unfiltered=True), name, workers)


def _verify_scenario(
    folder: DataFolder, everything: DataFolder, name: str, workers: int
) -> Iterator[Fault | VerifyProgress | VerifyReport]:
    try:
        scan = folder.scan(name)
    except DataError as error:
        yield Fault(name, None, str(error))
        yield VerifyReport(name, None, None, 0, 1)
        return
    kept = scan.kept if folder.filtered or folder.own_filter else None
    by_official = None if folder.own_filter else kept
    faults = 0
    for problem in _count_faults(name, scan.samples, by_official) if folder.pack else ():
        faults += 1
        yield Fault(name, None, problem)
    with ThreadPoolExecutor(workers) as pool:
        checks = _Checks(pool, everything, name)
        for done, sample in enumerate(everything.samples(name), 1):
            checks.add(sample)
            for fault in checks.faults(at_most_waiting=8 * workers):
                faults += 1
                yield fault
            yield VerifyProgress(name, done, scan.samples)
        for fault in checks.faults(at_most_waiting=0):
            faults += 1
            yield fault
    yield VerifyReport(name, scan.samples, kept, checks.store.decodes, faults)


def _count_faults(name: str, samples: int, kept: int | None) -> Iterator[str]:
    raw, filtered = SCENARIOS[name].published_counts
    if not raw:
        return
    if samples != raw:
        yield f"{samples} samples; the official release has {raw}"
    if kept is not None and kept != filtered:
        yield f"the official filter keeps {kept} samples; published are {filtered}"


class _Checks:
    """Checks the pictures of one scenario and reports faults in the order of the samples."""

    def __init__(self, pool: ThreadPoolExecutor, data: DataFolder, scenario: str) -> None:
        self.pool = pool
        self.scenario = scenario
        # Each picture is opened only once, so caching is useless.
        self.store = data.store(cache_bytes=0)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: deque[tuple[int | str, Future[str | None]]] = deque()

    def add(self, sample: Sample) -> None:
        """Submits the checks of a sample's pictures."""
        refs = pictures(SCENARIOS[self.scenario], sample)
        problem: str | None = None
        try:
            for ref in refs:
                problem = problem or _crop_problem(ref)
                if self._is_new(ref.path):
                    self._waiting.append((sample.id, self.pool.submit(self._problem, ref.path)))
        except SampleError as error:
            problem = str(error)
        if problem:
            self._waiting.append((sample.id, self.pool.submit(str, problem)))

    def faults(self, at_most_waiting: int) -> Iterator[Fault]:
        """Yields faults until at most that many checks are still running."""
        while len(self._waiting) > at_most_waiting:
            sample, check = self._waiting.popleft()
            if problem := check.result():
                yield Fault(self.scenario, sample, problem)

    def _is_new(self, path: str) -> bool:
        new = path not in self._seen
        self._seen[path] = None
        self._seen.move_to_end(path)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return new

    def _problem(self, path: str) -> str | None:
        try:
            self.store.open(ImageRef(path))
        except ImageError as error:
            return str(error)
        return None


def _crop_problem(ref: ImageRef) -> str | None:
    try:
        if ref.crop is not None:
            crop_box(ref.path, ref.crop)
    except ImageError as error:
        return str(error)
    return None
