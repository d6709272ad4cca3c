"""Notes on runs on data other than the official ones, which tables print beside the scores."""

from collections.abc import Sequence

from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.run_names import name_runs
from proactive_agent.reports.runs import DataKind, data_kind

_SCORES = {
    DataKind.EMBEDDED: "The embedded suite is for trying things out. Its scores",
    DataKind.GENERATED: "Scores on generated scenes",
    DataKind.OWN: "Scores on own data",
    DataKind.OTHER_SAMPLES: "Scores on samples other than the official ones",
}


def data_note(manifest: Manifest) -> str | None:
    """Says that the scores of a run do not compare with published ones; None on official data."""
    scores = _SCORES.get(data_kind(manifest))
    return scores and f"{scores} cannot be compared with published ones."


def data_notes(manifests: Sequence[Manifest]) -> list[str]:
    """Returns the notes on the data of runs that are shown together, each once.

    A note that does not concern all runs names those that it concerns.
    """
    concerned: dict[str, list[str]] = {}
    for name, manifest in zip(name_runs(manifests), manifests, strict=True):
        if note := data_note(manifest):
            concerned.setdefault(note, []).append(name)
    return [
        note if len(names) == len(manifests) else f"{note} This concerns {', '.join(names)}."
        for note, names in concerned.items()
    ]
