"""In what runs are no repetition of the paper: what a reader must know who sees them beside it."""

from collections.abc import Callable, Sequence

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.run_names import name_runs
from proactive_agent.reports.tables import EMBEDDED_NOTE

_DEPARTURES: dict[str, Callable[[Manifest], bool]] = {
    "tools are called, not options chosen": lambda m: m.settings.protocol == "tools",
    "the filter of the official data was not applied": (
        lambda m: not m.data.embedded and not m.data.filtered
    ),
    "wording other than the published one": (
        lambda m: not m.data.embedded and not m.data.wording.startswith("proactivebench")
    ),
    "replies read by the lenient parser": (
        lambda m: m.settings.protocol == "mcqa" and m.settings.parser != "official"
    ),
    "judged otherwise than published": (
        lambda m: m.settings.protocol == "oeg" and m.settings.judge_prompt != "official"
    ),
    "suggestions that do not apply were forgiven": lambda m: m.settings.forgiving,
    "tools other than those of the state": (
        lambda m: m.settings.protocol == "tools" and m.settings.toolset != "scenario"
    ),
    "not all samples": lambda m: m.settings.limit is not None,
    "not finished": lambda m: m.status != "finished",
}
"""What keeps a run from being compared with the published figures, and how it is seen."""


def departure_notes(runs: Sequence[PlayedRun]) -> list[str]:
    """Notes to stand in a table or plot of these runs; the most important first."""
    manifests = [run.manifest for run in runs]
    names = name_runs(manifests)
    embedded = [name for name, m in zip(names, manifests, strict=True) if m.data.embedded]
    notes = [EMBEDDED_NOTE] if embedded else []
    if 0 < len(embedded) < len(runs):
        notes.append(f"On the embedded suite: {', '.join(embedded)}.")
    for what, applies in _DEPARTURES.items():
        concerned = [name for name, m in zip(names, manifests, strict=True) if applies(m)]
        if len(concerned) == len(runs):
            notes.append(f"All runs: {what}.")
        elif concerned:
            notes.append(f"{what[0].upper()}{what[1:]}: {', '.join(concerned)}.")
    if failed := sum(run.summary.errors for run in runs):
        notes.append(f"{failed} episodes met an error and are left out.")
    return notes
