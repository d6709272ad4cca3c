"""What runs that stand side by side are called, and in what they differ."""

from collections import Counter
from collections.abc import Sequence

from proactive_agent.records.manifest import Manifest

_TELLING = ("protocol", "condition", "toolset", "parser", "judge")
"""Settings that a name can tell."""
_SERIOUS = ("protocol", "condition")
_SETTINGS = (
    *_SERIOUS, "toolset", "parser", "forgiving", "unfiltered", "limit", "repeats", "seed",
    "history_size", "icl_reasoning", "multi_turn", "judge", "judge_prompt",
)  # fmt: skip


def name_runs(manifests: Sequence[Manifest]) -> list[str]:
    """A short name for each run: the model, and the settings in which the runs differ."""
    varied = [
        field
        for field in _TELLING
        if len({getattr(manifest.settings, field) for manifest in manifests}) > 1
    ]
    names: list[str] = []
    alike: Counter[str] = Counter()
    for manifest in manifests:
        own = [_shown(manifest, field) for field in varied]
        name = " ".join([manifest.settings.provider, *own])
        alike[name] += 1
        names.append(f"{name} #{alike[name]}" if alike[name] > 1 else name)
    return names


def differences(manifests: Sequence[Manifest]) -> list[str]:
    """Warnings where runs do not compare like with like."""
    warnings = []
    if len({_data(manifest) for manifest in manifests}) > 1:
        warnings.append("Warning: the runs were made on different data.")
    if len({manifest.data.wording_sha256 for manifest in manifests}) > 1:
        warnings.append("Warning: the runs used different wording.")
    for field in _SETTINGS:
        values = {_shown(manifest, field) for manifest in manifests}
        if len(values) > 1:
            start = "Warning: the" if field in _SERIOUS else "The"
            warnings.append(f"{start} runs differ in {field}: {', '.join(sorted(values))}.")
    unfinished = [m.run_id for m in manifests if m.status != "finished"]
    if unfinished:
        warnings.append(f"Warning: not finished: {', '.join(unfinished)}.")
    return warnings


def _shown(manifest: Manifest, field: str) -> str:
    value = getattr(manifest.settings, field)
    return "all" if field == "limit" and value is None else str(value)


def _data(manifest: Manifest) -> str:
    files = {name: (file.sha256, file.kept) for name, file in manifest.data.files.items()}
    return repr(sorted(files.items()))
