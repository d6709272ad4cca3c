"""Reads played runs and names the data that they were played on."""

from collections.abc import Sequence
from enum import StrEnum

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.run_names import name_runs
from proactive_agent.reports.targets import Experiment
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import joined, varied_parts


class DataKind(StrEnum):
    """The kinds of data that a run can be played on, as tables name them."""

    OFFICIAL = "official data"
    """The paper's own data. Only scores on these compare with published ones."""
    EMBEDDED = "embedded suite"
    GENERATED = "generated scenes"
    OWN = "own data"
    """A folder without the authors' wording."""
    OTHER_SAMPLES = "official wording, other samples"


def read_runs(folders: Sequence[RunFolder]) -> list[PlayedRun]:
    """Reads runs and names them. Raises UserError."""
    manifests = [folder.read_manifest() for folder in folders]
    return [
        PlayedRun.of_episodes(name, manifest, folder, folder.scan())
        for name, manifest, folder in zip(name_runs(manifests), manifests, folders, strict=True)
    ]


def same_data(one: Manifest, other: Manifest) -> list[str]:
    """Returns the scenarios with the same data in both runs, so that ids can be matched.

    These are equal files, or generated scenes of one seed, of which there may be more in one run.
    """
    ours, theirs = one.data.files, other.data.files
    generated = one.data.generator is not None and one.data.generator == other.data.generator
    same = generated and same_seed(one, other)
    return [
        name for name in SCENARIOS
        if name in ours and name in theirs and (same or ours[name].sha256 == theirs[name].sha256)
    ]  # fmt: skip


def other_seeds(one: Manifest, other: Manifest) -> list[str]:
    """Returns the scenarios with generated scenes in both runs that differ only in the seed or in
    which things they show. Their samples cannot be matched."""
    generator = one.data.generator
    if generator is None or generator != other.data.generator or same_seed(one, other):
        return []
    return [name for name in SCENARIOS if name in one.data.files and name in other.data.files]


def same_seed(one: Manifest, other: Manifest) -> bool:
    """Returns whether two runs played the same generated scenes, perhaps different numbers."""
    return one.data.seed is not None and one.data.seed == other.data.seed


def experiment_of(manifest: Manifest) -> Experiment:
    """Returns what a run measures. Playing dropped samples is a part of the condition."""
    settings = manifest.settings
    flagged = {"unfiltered"} if settings.unfiltered else set()
    condition = joined(sorted(varied_parts(settings.condition) | flagged))
    several = settings.protocol == "oeg" and settings.multi_turn
    return Experiment(settings.protocol, condition, several)


def data_kind(manifest: Manifest) -> DataKind:
    """Returns what kind of data a run was played on, as far as its records tell."""
    data = manifest.data
    if data.embedded:
        return DataKind.EMBEDDED
    if data.generator is not None:
        return DataKind.GENERATED
    if not data.wording.startswith("proactivebench") and not data.filtered:
        return DataKind.OWN
    for scenario, file in data.files.items():
        raw, filtered = SCENARIOS[scenario].published_counts
        if (file.samples, file.kept) != (raw, filtered if data.filtered else raw):
            return DataKind.OTHER_SAMPLES
    return DataKind.OFFICIAL


def data_label(manifest: Manifest) -> str:
    """Names the data of a run; generated scenes with their source."""
    kind = data_kind(manifest)
    if kind is DataKind.GENERATED:
        return f"{kind}, {manifest.settings.data}"
    return kind.value
