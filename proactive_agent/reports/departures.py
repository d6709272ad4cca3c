"""The ways in which runs depart from the paper.

Tables and plots print these departures, so that readers do not compare unlike numbers. Departures
that follow from one setting are declared with it in `proactive_agent.settings`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.run_names import BY_WEIGHT, name_runs
from proactive_agent.reports.tables import EMBEDDED_NOTE
from proactive_agent.settings import Declared

Applies = Callable[[Manifest], bool]


def _departures() -> Iterator[tuple[str, Applies]]:
    """Yields each departure and the test for it, the most important first."""
    of_settings = [
        (one.setting.essential, one.setting.departure.note, partial(_departs, one))
        for one in BY_WEIGHT
        if one.setting.departure
    ]
    yield from ((note, applies) for essential, note, applies in of_settings if essential)
    yield (
        "the filter of the official data was not applied",
        lambda m: not m.data.embedded and not m.data.filtered,
    )
    yield (
        "wording that differs from the published one",
        lambda m: not m.data.embedded and not m.data.wording.startswith("proactivebench"),
    )
    yield from ((note, applies) for essential, note, applies in of_settings if not essential)
    yield "not finished", lambda m: m.status != "finished"


def _departs(one: Declared, manifest: Manifest) -> bool:
    settings = manifest.settings
    return one.setting.departs(settings.value(one.name), settings.protocol)


def departure_notes(runs: Sequence[PlayedRun]) -> list[str]:
    """Returns the notes for a table or plot of these runs, the most important first."""
    manifests = [run.manifest for run in runs]
    names = name_runs(manifests)
    embedded = [name for name, m in zip(names, manifests, strict=True) if m.data.embedded]
    notes = [EMBEDDED_NOTE] if embedded else []
    if 0 < len(embedded) < len(runs):
        notes.append(f"On the embedded suite: {', '.join(embedded)}.")
    for note, applies in _departures():
        concerned = [name for name, m in zip(names, manifests, strict=True) if applies(m)]
        if len(concerned) == len(runs):
            notes.append(f"All runs: {note}.")
        elif concerned:
            notes.append(f"{note[0].upper()}{note[1:]}: {', '.join(concerned)}.")
    if failed := sum(run.summary.errors for run in runs):
        notes.append(f"{failed} episodes ended with an error and are left out.")
    return notes
