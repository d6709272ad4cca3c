"""What runs that stand side by side are called, and in what they differ."""

from collections.abc import Sequence

from proactive_agent.manifest import Manifest

_SETTINGS = ("protocol", "condition", "toolset", "parser", "forgiving", "limit", "seed")


def name_runs(manifests: Sequence[Manifest]) -> list[str]:
    """A short name for each run: the model, and the settings in which the runs differ."""
    varied = [
        field
        for field in ("protocol", "condition", "toolset", "parser")
        if len({getattr(manifest.settings, field) for manifest in manifests}) > 1
    ]
    names = []
    for number, manifest in enumerate(manifests, 1):
        own = [str(getattr(manifest.settings, field)) for field in varied]
        name = " ".join([manifest.settings.provider, *own])
        names.append(f"{name} #{number}" if name in names else name)
    return names


def differences(manifests: Sequence[Manifest]) -> list[str]:
    """Warnings where runs do not compare like with like."""
    warnings = []
    if len({_data(manifest) for manifest in manifests}) > 1:
        warnings.append("Warning: the runs were made on different data.")
    if len({manifest.data.wording_sha256 for manifest in manifests}) > 1:
        warnings.append("Warning: the runs used different wording.")
    for field in _SETTINGS:
        values = {str(getattr(manifest.settings, field)) for manifest in manifests}
        if len(values) > 1:
            warnings.append(f"The runs differ in {field}: {', '.join(sorted(values))}.")
    unfinished = [m.run_id for m in manifests if m.status != "finished"]
    if unfinished:
        warnings.append(f"Warning: not finished: {', '.join(unfinished)}.")
    return warnings


def _data(manifest: Manifest) -> str:
    files = {name: (file.sha256, file.kept) for name, file in manifest.data.files.items()}
    return repr(sorted(files.items()))
