"""Labels of runs that are shown together, and warnings about settings in which they differ."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from proactive_agent.play.rule_versions import rules_in
from proactive_agent.records.manifest import SETTINGS, Manifest
from proactive_agent.reports.agents import agent_notes
from proactive_agent.settings import Declared, PlaySettings, declared

BY_WEIGHT = sorted(SETTINGS.values(), key=lambda one: not one.setting.essential)
"""All settings of a run, the essential ones first."""


def name_runs(manifests: Sequence[Manifest]) -> list[str]:
    """Returns a short label for each run.

    A label is the model and the prominent settings in which the runs differ. Runs whose labels are
    still equal also get the other settings in which they differ from each other, and a number if
    there is none.
    """
    prominent = [one for one in BY_WEIGHT if one.setting.prominent]
    rest = [one for one in BY_WEIGHT if not one.setting.prominent and one.name != "provider"]
    providers = [manifest.settings.shown_provider for manifest in manifests]
    names = _extended(providers, manifests, prominent)
    alike: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        alike[name].append(index)
    for indices in alike.values():
        longer = _extended(
            [names[index] for index in indices], [manifests[index] for index in indices], rest
        )
        for index, name in zip(indices, longer, strict=True):
            names[index] = name
    return _numbered(names)


def differences(manifests: Sequence[Manifest]) -> list[str]:
    """Returns notes about differences between runs that are compared.

    Differences that make a comparison doubtful begin with "Warning".
    """
    warnings = [*agent_notes(manifests), *_data_notes(manifests)]
    if len({frozenset(manifest.data.files) for manifest in manifests}) > 1:
        warnings.append(
            "Warning: the runs played different scenarios, so their means cannot be compared."
        )
    if len({manifest.data.wording_sha256 for manifest in manifests}) > 1:
        warnings.append("Warning: the runs used different wording.")
    rules = {version for manifest in manifests if (version := rules_in(manifest))}
    if len(rules) > 1:
        shown = ", ".join(sorted(rules))
        warnings.append(f"Warning: the runs differ in the simulated user's rules: {shown}.")
    for one in BY_WEIGHT:
        if not one.setting.essential and one.name not in declared(PlaySettings):
            continue
        values = {one.shown(_value(manifest, one)) for manifest in manifests}
        if len(values) > 1:
            start = "Warning: the" if one.setting.essential else "The"
            warnings.append(f"{start} runs differ in {one.name}: {', '.join(sorted(values))}.")
    if {"tools", "mcqa"} <= {manifest.settings.protocol for manifest in manifests} and any(
        manifest.settings.protocol == "tools" and manifest.settings.toolset != "published"
        for manifest in manifests
    ):
        warnings.append(
            "Warning: the tools offer more than the options of mcqa; --toolset published offers "
            "the same."
        )
    unfinished = [m.run_id for m in manifests if m.status != "finished"]
    if unfinished:
        warnings.append(f"Warning: not finished: {', '.join(unfinished)}.")
    return warnings


def _extended(
    names: Sequence[str], manifests: Sequence[Manifest], settings: Sequence[Declared]
) -> list[str]:
    """Adds the settings in which the runs differ to their names."""
    varied = [one for one in settings if len({_value(m, one) for m in manifests}) > 1]
    return [
        " ".join(filter(None, [name, *(one.label(_value(manifest, one)) for one in varied)]))
        for name, manifest in zip(names, manifests, strict=True)
    ]


def _numbered(names: Sequence[str]) -> list[str]:
    """Appends a number to repeated names: "#2" to the second, and so on."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} #{seen[name]}" if seen[name] > 1 else name)
    return numbered


def _value(manifest: Manifest, one: Declared) -> object:
    return manifest.settings.value(one.name)


def _data_notes(manifests: Sequence[Manifest]) -> list[str]:
    generators = {manifest.data.generator for manifest in manifests}
    if len(generators) > 1 or None in generators:
        return ["Warning: the runs used different data."] if _data_differs(manifests) else []
    if len({manifest.data.seed for manifest in manifests}) == 1:
        return []
    return [
        "The runs played different generated scenes, so their differences are tested without "
        "pairing."
    ]


def _data_differs(manifests: Sequence[Manifest]) -> bool:
    """Whether two runs played a scenario from different files, or other samples of a file."""
    played = defaultdict(set)
    for manifest in manifests:
        for scenario, file in manifest.data.files.items():
            played[scenario].add((file.sha256, file.kept))
    return any(len(files) > 1 for files in played.values())
