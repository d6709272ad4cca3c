"""A whole build: surveys the sources, builds the samples and moves the folder into place."""

import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.disk.regular_file import replace_regular, sha256_of
from proactive_agent.scenarios.builder.categories import Categories, Labels, read_similar
from proactive_agent.scenarios.builder.items import BuildError, SkipError
from proactive_agent.scenarios.builder.output import (
    TEST,
    TRAIN,
    BuildManifest,
    ScenarioCounts,
    check_place,
    staged,
    write_manifest,
)
from proactive_agent.scenarios.builder.picture import open_layer
from proactive_agent.scenarios.builder.pool import in_order
from proactive_agent.scenarios.builder.recipe import Appearance, Recipe
from proactive_agent.scenarios.builder.recipes import RECIPES
from proactive_agent.scenarios.builder.sources import root_of
from proactive_agent.scenarios.builder.training import Shards
from proactive_agent.scenarios.builder.worker import BuildJob, ItemTask, build_item
from proactive_agent.scenarios.builder.writer import QUALITY
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.tools import MissingExtraError

EXTRA = "build"
LIBRARIES = ("pillow", "numpy", "opencv-python", "imagecorruptions-imaug", "datasets", "pyarrow")
"""Libraries whose version can change the bytes of a frame or shard."""


@dataclass(frozen=True)
class BuildSettings:
    """The settings of a build."""

    sources: Mapping[str, Path]
    """A source (folder or list) by scenario."""
    out: Path
    look: Appearance = field(default_factory=Appearance)
    seed: int = 0
    quality: int = QUALITY
    """WebP quality, 0-100."""
    similar: Path | None = None
    """A similarity list, see `categories`."""
    train_share: float = 0.0
    limit: int | None = None
    """Items per scenario, evenly spaced. The labels of all items remain categories."""
    workers: int = 1
    """Number of processes. It does not change the result."""
    force: bool = False
    """Whether to replace an earlier build."""


class SkippedItem(NamedTuple):
    """An item from which not all samples could be built."""

    scenario: str
    why: str


class BuildProgress(NamedTuple):
    """Progress within a scenario, in items."""

    scenario: str
    done: int
    total: int


class BuildReport(NamedTuple):
    """Summary of a scenario, yielded after its last item."""

    scenario: str
    counts: ScenarioCounts
    without_box: int
    """Number of items without a box; the middle of their picture is hidden."""


class Survey(NamedTuple):
    """The result of a first pass over a source."""

    items: int
    categories: list[str]
    sha256: str
    without_box: int


def build(
    settings: BuildSettings,
) -> Generator[SkippedItem | BuildProgress | BuildReport, None, None]:
    """Builds a folder and yields what happens. Closing the generator cancels the build.

    A cancelled build writes nothing. Raises BuildError if the input is wrong or no sample could be
    built, and MissingExtraError if a library is missing.
    """
    _check(settings)
    surveys = {name: _survey(RECIPES[name], settings) for name in settings.sources}
    near = read_similar(settings.similar) if settings.similar else {}
    choosers = {name: Categories(survey.categories, near) for name, survey in surveys.items()}
    counts: dict[str, ScenarioCounts] = {}
    with staged(settings.out) as folder:
        shards = Shards(folder / TRAIN)
        for name in sorted(settings.sources, key=list(RECIPES).index):
            job = BuildJob(
                scenario=name,
                root=root_of(settings.sources[name]),
                test=folder / TEST,
                look=settings.look,
                categories=choosers[name],
                seed=settings.seed,
                quality=settings.quality,
                train_share=settings.train_share,
            )
            counts[name] = yield from _scenario(job, settings, surveys[name], shards)
            yield BuildReport(name, counts[name], surveys[name].without_box)
        if not any(count.samples for count in counts.values()):
            raise BuildError("no sample for the test split could be built; see the reasons above")
        write_manifest(folder, _manifest(settings, counts, shards.close()))


def _check(settings: BuildSettings) -> None:
    check_place(settings.out, force=settings.force)
    for name, source in settings.sources.items():
        if not source.exists():
            raise BuildError(f"{source} does not exist")
        # Unlike `Path.resolve`, this does not raise RuntimeError for a link to itself.
        if Path(os.path.realpath(settings.out)).is_relative_to(source.resolve()):
            raise BuildError(f"{settings.out} is inside the source {source}")
        _need(RECIPES[name].needs, f"building {name}")
    if settings.train_share:
        _need(("datasets",), "the train split")
    for layer in (settings.look.occluder, settings.look.passer):
        try:
            if layer:
                open_layer(layer)
        except SkipError as error:
            raise BuildError(str(error)) from None


def _need(modules: tuple[str, ...], what: str) -> None:
    if any(importlib.util.find_spec(module) is None for module in modules):
        raise MissingExtraError(EXTRA, what)


def _survey(recipe: Recipe, settings: BuildSettings) -> Survey:
    """Reads a source once, so that its faults are reported before anything is built."""
    source = settings.sources[recipe.name]
    labels = Labels()
    digest = hashlib.sha256()
    items = without_box = 0
    for item in recipe.read(source):
        labels.add(item.label, item.place)
        if lack := recipe.lacks(item):
            raise BuildError(f"{item.place}: {recipe.name} needs {lack}")
        try:
            digest.update(f"{item.identity}\n".encode())
        except UnicodeEncodeError:
            raise BuildError(f"{item.identity!r}: a name or label that is not UTF-8") from None
        items += 1
        without_box += recipe.hides_box and item.box is None
    if not items:
        raise BuildError(f"{source} contains nothing from which {recipe.name} can be built")
    return Survey(items, labels.categories(), digest.hexdigest(), without_box)


def _tasks(recipe: Recipe, settings: BuildSettings, items: int) -> Iterator[ItemTask]:
    """Yields the items to build. A limit selects them evenly from `items`.

    The number of a sample follows from its item, so it does not change when another item is
    repaired or skipped.
    """
    wanted = _wanted(settings, items)
    step = recipe.variants(settings.look)
    for number, item in enumerate(recipe.read(settings.sources[recipe.name])):
        if number * wanted % items < wanted:
            yield ItemTask(step * number, item)


def _wanted(settings: BuildSettings, items: int) -> int:
    return min(settings.limit or items, items)


def _scenario(
    job: BuildJob, settings: BuildSettings, survey: Survey, shards: Shards
) -> Generator[SkippedItem | BuildProgress, None, ScenarioCounts]:
    tasks = _tasks(RECIPES[job.scenario], settings, survey.items)
    wanted = _wanted(settings, survey.items)
    file = job.test / f"{SCENARIOS[job.scenario].stem}_preprocessed.jsonl"
    file.parent.mkdir(exist_ok=True)
    samples = rows = skipped = 0
    with replace_regular(file) as stream:
        results = in_order(build_item, job, tasks, settings.workers)
        for done, result in enumerate(results, 1):
            stream.writelines(result.lines)
            for row in result.rows:
                shards.add(row)
            samples += len(result.lines)
            rows += len(result.rows)
            if result.skipped is not None:
                skipped += 1
                yield SkippedItem(job.scenario, result.skipped)
            yield BuildProgress(job.scenario, done, wanted)
    if not samples:
        file.unlink()
    return ScenarioCounts(
        source=settings.sources[job.scenario].resolve().name,
        sources_sha256=survey.sha256,
        items=wanted,
        samples=samples,
        train_rows=rows,
        skipped=skipped,
    )


def _manifest(
    settings: BuildSettings, counts: dict[str, ScenarioCounts], shards: list[str]
) -> BuildManifest:
    chosen: dict[str, Any] = asdict(settings.look)
    for name in ("occluder", "passer"):
        chosen[name] = _fingerprint(chosen[name])
    chosen["similar"] = _fingerprint(settings.similar)
    chosen |= {name: getattr(settings, name) for name in ("quality", "train_share", "limit")}
    return BuildManifest(
        program=importlib.metadata.version("proactive-agent"),
        libraries=dict(_versions()),
        seed=settings.seed,
        settings=chosen,
        scenarios=counts,
        shards=shards,
    )


def _fingerprint(file: Path | None) -> str | None:
    if file is None:
        return None
    return f"{file.name} {sha256_of(file)}"


def _versions() -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
